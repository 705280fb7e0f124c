/** A function of the user's own, from its file to what a run says of it. */
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { startDisplay } from '../../../infra/local/cli/display.ts'
import { jobOf } from '../../../infra/local/cli/main.ts'
import { parseOptions } from '../../../infra/local/cli/options.ts'
import { checkEntry } from '../../../infra/local/own-function/own-entry.ts'
import { simulate } from '../../../infra/local/run/simulation.ts'
import { synthesize } from '../../../infra/local/stack/synthesize.ts'

const ROOT = join(import.meta.dirname, '../../..')
/** Shorter than the retries' delay, and long enough for a machine on which many processes start at once. */
const LEASE_MS = 3_000

const directories: string[] = []
afterAll(() => Promise.all(directories.map((directory) => rm(directory, { recursive: true }))))

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tenure-test-'))
  directories.push(directory)
  return directory
}

/** A directory of the user's, with these files in it. */
async function userFiles(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await newDirectory()
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), text)
  }
  return directory
}

describe('the file of a function is looked at before the run:', () => {
  const GOOD = `
    import middy from '@middy/core'
    import { leaderOnly } from 'tenure'
    import { leaseMetrics } from 'tenure/metrics'
    export const handler = middy().use(leaderOnly({ onEvent: leaseMetrics({}) }))`

  test.each(['good.ts', 'good.mts', 'good.js', 'good.mjs'])(
    '%s may import the library and its packages',
    async (name) => {
      const directory = await userFiles({ [name]: GOOD })
      await expect(checkEntry(join(directory, name), directory)).resolves.toBeUndefined()
    },
  )

  test.each([
    ['absent.ts', 'x.ts', '', /there is no file .*absent\.ts$/],
    ['dir', 'dir/x.ts', '', /dir is no file/],
    ['handler.py', 'handler.py', '', /neither TypeScript nor JavaScript/],
    ['none.ts', 'none.ts', 'export const handle = 1', /exports no "handler", only handle\. .*export const handler = …/],
    [
      'common.js',
      'common.js',
      'exports.handler = async () => 1',
      /exports no "handler", only default\..*as an ES module/,
    ],
    [
      'wrong.ts',
      'wrong.ts',
      'export const handler =\n  const x',
      /cannot be bundled.*Unexpected "const".*wrong\.ts:2:2:/s,
    ],
    [
      'far.ts',
      'far.ts',
      "import x from 'not-there'\nexport const handler = x",
      /Could not resolve "not-there".*far\.ts:1:14:/s,
    ],
    [
      'typo.ts',
      'typo.ts',
      "import { leaderOnli } from 'tenure'\nexport const handler = leaderOnli()",
      /No matching export.*"leaderOnli"/s,
    ],
  ])('%s is refused in words', async (entry, name, text, message) => {
    const directory = await userFiles({ [name]: text })
    const error = await checkEntry(join(directory, entry), directory).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ message: expect.stringMatching(message) })
    expect(error).toMatchObject({ message: expect.not.stringContaining('mark the path') })
  })
})

describe('the flags of a function:', () => {
  const parse = (flags: string) => parseOptions(['--function', 'f.ts', ...flags.split(' ')])

  test('it may run for five minutes, unless --timeout says otherwise', () => {
    const own = { path: 'f.ts', lease: 'a', environment: { X: 'y' }, tables: [{ name: 'Orders', keys: ['id'] }] }
    const flags = '--lease a --env X=y --table Orders:id'
    expect(parse(flags)).toMatchObject({ options: { own: { ...own, timeoutMs: 300_000 } } })
    expect(parse(`${flags} --timeout 30s`)).toMatchObject({ options: { own: { ...own, timeoutMs: 30_000 } } })
  })

  test.each([
    ['--lease a,b', 'the lease name "a,b" is not allowed'],
    ['--lease a --env LEASE_NAME=b', '--env LEASE_NAME: this one is set by ElectedSchedule, or by Lambda'],
    ['--lease a --env AWS_REGION=b', '--env AWS_REGION: this one is set'],
    ['--lease a --env NODE_OPTIONS=b', '--env NODE_OPTIONS: this one is set'],
    ['--lease a --timeout 500ms', 'from 1s to 15m'],
    ['--lease a --timeout 1.5s', 'whole seconds'],
    ['--lease a --timeout 16m', 'from 1s to 15m'],
  ])('%s is refused', (flags, message) => {
    expect(() => parse(flags)).toThrow(message)
  })

  test('--timeout is for a function of one’s own', () => {
    expect(() => parseOptions(['--timeout', '5s'])).toThrow('--timeout is for a function of your own')
  })
})

/**
 * A run that could not do what it was asked for shows nothing, and is repeated: where the machine is very busy, a
 * leader may lose its lease before it can be frozen or killed in mid-task.
 */
async function run(...argv: readonly string[]) {
  for (let attempt = 1; ; attempt++) {
    const ended = await runOnce(argv)
    if (ended.verdict.inconclusive.length === 0 || attempt === 3) return ended
  }
}

async function runOnce(argv: readonly string[]) {
  const short = ['--every', '0s', '--candidates', '2', '--time-scale', '0.1', '--no-page']
  const parsed = parseOptions([...argv, ...short])
  if (parsed.kind === 'help') throw new Error('It printed the help')
  const job = await jobOf(parsed.options)
  const assembly = await newDirectory()
  const context = { ...job.context, candidates: 2, leaseMs: LEASE_MS }
  await synthesize({ app: job.app, root: ROOT, directory: assembly, context })
  let said = ''
  const write = (text: string) => {
    said += text
  }
  const ended = await simulate({
    ...job,
    app: `cp -R "${assembly}/." "$CDK_OUTDIR"`,
    root: ROOT,
    display: startDisplay({ write }, {}),
    dynamodb: { endpoint: inject('dynamodbEndpoint'), stop: async () => {} },
    signal: new AbortController().signal,
  })
  return { ...ended, said }
}

const INVOICES = `
import middy from '@middy/core'
import { DynamoDBLeaseStore, leaderOnly, type LeaderContext } from 'tenure'
import { ids } from 'theirs'

const store = new DynamoDBLeaseStore({ tableName: process.env.LEASE_TABLE ?? '' })

export const handler = middy()
  .use(leaderOnly({ store, lease: process.env.LEASE_NAME ?? '' }))
  .handler(async (event: { readonly tick: string }, { lease }: LeaderContext) => {
    for (const id of ids) {
      await lease.send({
        TableName: process.env.INVOICES ?? '',
        Key: { id },
        UpdateExpression: 'SET tick = :tick',
        ExpressionAttributeValues: { ':tick': event.tick },
      })
    }
    return { invoices: ids.length }
  })
`

describe.concurrent('a run of one’s own function', { timeout: 240_000 }, () => {
  test('outside of the project survives leaders that are killed and frozen, and refuses what the frozen one writes', async () => {
    const directory = await userFiles({
      'invoices.ts': INVOICES,
      'node_modules/theirs/index.js': "export const ids = ['a', 'b', 'c']",
      'node_modules/tenure/index.js': 'export const older = true',
    })
    const before = await readdir(directory)
    const table = `Invoices-${randomUUID()}`
    const { summary, verdict, said } = await run(
      ...['--function', join(directory, 'invoices.ts'), '--lease', 'invoices'],
      ...['--table', `${table}:id`, '--env', `INVOICES=${table}`],
      ...['--ticks', '3', '--kill-leader', '1', '--freeze-leader', '2'],
    )
    expect(verdict, said).toEqual({ faults: [], harm: [], inconclusive: [] })
    expect(summary, said).toMatchObject({ ticks: 3, completed: 3, completedTwice: 0, candidates: 2 })
    expect(summary.tookOver, said).toBeGreaterThanOrEqual(2)
    expect(summary.staleWritesRefused, said).toBeGreaterThanOrEqual(1)
    expect(said).toMatch(/⚡ candidate \d: killed[\s\S]*⚡ candidate \d: frozen[\s\S]*⚡ candidate \d: thawed/)
    expect(await readdir(directory)).toEqual(before)
  })

  test('that returns nothing is counted by what it wrote, and its errors show where they were thrown', async () => {
    const table = `Reports-${randomUUID()}`
    const { summary, verdict, said } = await run(
      ...['--function', join(import.meta.dirname, '../own-function/reports.mjs'), '--lease', 'reports'],
      ...['--table', `${table}:day`, '--env', `REPORTS=${table}`, '--ticks', '1'],
    )
    expect(verdict, said).toEqual({ faults: [], harm: [], inconclusive: [] })
    expect(summary, said).toMatchObject({ completed: 1, completedTwice: 0, tookOver: 1 })
    expect(said).toMatch(/leading with token \d+, failed: TypeError: The first report of \S+ is lost/)
    expect(said).toMatch(/at failAtFirst \(.*own-function\/reports\.mjs:24:9\)/)
  })
})
