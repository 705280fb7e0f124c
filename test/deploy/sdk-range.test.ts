import { cp, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { runProgram } from './program.ts'
import { timed } from './timed.ts'

const emulator = inject('emulator')
const root = join(import.meta.dirname, '../..')

/** What the layer of the caller puts on each request; the aggregated clients have none. */
const sent = (item: string, layer: string) =>
  ['UpdateItem {}', 'UpdateItem {}', `PutItem ${item}`, 'UpdateItem {}'].map((request) => `${request} ${layer}`)
const WITHOUT_UNDEFINED = '{"id":{"S":"x"},"map":{"M":{}}}'
const WITH_OPTIONS = '{"id":{"S":"x"},"price":{"M":{"amount":{"N":"7"}}}}'
const outcome = (kind: string, item: string, layer: string) => ({
  kind,
  status: 'completed',
  requests: sent(item, layer),
  other: 'standby',
})

describe.skipIf(emulator === undefined)('the packed project with the AWS SDK of its app', () => {
  if (emulator === undefined) return
  const apps = join(emulator.directory, 'sdk-range')

  const run = async (cwd: string, program: string, ...args: readonly string[]) => {
    const { exitCode, output } = await timed([program, ...args].join(' '), () =>
      runProgram(program, args, { cwd, env: { ...process.env, NODE_OPTIONS: '' } }),
    )
    if (exitCode !== 0) throw new Error(`${[program, ...args].join(' ')} failed:\n${output.slice(-3000)}`)
    return output
  }

  /** Both ends of the range that package.json states. */
  beforeAll(async () => {
    const { peerDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    const range: string = peerDependencies['@aws-sdk/client-dynamodb']
    expect(peerDependencies['@aws-sdk/lib-dynamodb']).toBe(range)
    await mkdir(apps)
    await run(root, 'npm', 'pack', '--silent', '--pack-destination', apps)
    const packed = (await readdir(apps)).find((file) => file.endsWith('.tgz')) ?? 'nothing was packed'
    for (const [name, version] of [
      ['oldest', range.replace('^', '')],
      ['newest', range],
    ] as const) {
      const app = join(apps, name)
      await cp(join(import.meta.dirname, 'sdk-range'), app, { recursive: true })
      const sdk = ['client-dynamodb', 'lib-dynamodb'].map((library) => `@aws-sdk/${library}@${version}`)
      await run(app, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', ...sdk, join(apps, packed))
    }
  }, 300_000)

  test.each(['oldest', 'newest'])('has the %s SDK once, and its types accept the clients', async (version) => {
    const app = join(apps, version)
    const files = await readdir(join(app, 'node_modules'), { recursive: true })
    expect(files.filter((file) => /@aws-sdk\/(client|lib)-dynamodb\/package.json$/.test(file))).toHaveLength(2)
    await run(app, 'npm', 'run', 'check')
  })

  test.each([
    ['oldest', 'oldest'],
    ['newest', 'newest'],
    ['oldest', 'newest'],
    ['newest', 'oldest'],
  ])('leads with the %s SDK through clients of the %s, with their options and layers', async (own, lent) => {
    const output = await run(join(apps, own), process.execPath, 'elect.ts', join(apps, lent, 'package.json'))
    const outcomes = output.split('\n').filter((line) => line.startsWith('{'))
    expect(outcomes.map((line) => JSON.parse(line))).toEqual([
      outcome('raw', WITHOUT_UNDEFINED, 'mine'),
      outcome('document', WITH_OPTIONS, 'mine'),
      outcome('aggregated raw', WITHOUT_UNDEFINED, 'undefined'),
      outcome('aggregated document', WITH_OPTIONS, 'undefined'),
    ])
  })
})
