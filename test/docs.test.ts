/** The documents are true of the code: links lead somewhere, examples compile, flags and checks exist. */
import { execFile } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseDevOptions, parseOptions } from '../infra/local/cli/options.ts'
import { CLAIMS } from './proof/claims.ts'

const ROOT = join(import.meta.dirname, '..')
const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: ROOT })]
const textOf = (path: string) => readFileSync(join(ROOT, path), 'utf8')

/** As GitHub makes them from headings. */
const anchorsOf = (path: string) =>
  [...textOf(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .trim()
      .replaceAll(' ', '-'),
  )

const examplesIn = (path: string) => [...textOf(path).matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = '']) => code)

test.each(DOCUMENTS)('every link in %s leads to a file of the project, and every anchor to a heading', (path) => {
  const links = [...textOf(path).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)]
  for (const [link, target = '', anchor] of links) {
    const file = target === '' ? path : join(dirname(path), target)
    expect(existsSync(resolve(ROOT, file)), link).toBe(true)
    if (anchor !== undefined) expect(anchorsOf(file), link).toContain(anchor)
  }
})

test('every path of a file that the documents name exists', () => {
  const named = DOCUMENTS.flatMap((path) =>
    [...textOf(path).matchAll(/`((?:functions|infra|test|docs)\/[\w./-]+)`/g)].map(([, file = '']) => file),
  )
  expect(named.filter((file) => !existsSync(join(ROOT, file)))).toEqual([])
})

test('the README has at most 200 lines', () => {
  expect(textOf('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(200)
})

test('the examples compile: those of the README as they are written, that of operations.md inside a stack', async () => {
  // Beside the installed packages, so that imports resolve as in a project that uses them.
  const directory = await mkdtemp(join(ROOT, 'node_modules/.examples-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const [imports = '', body = ''] = (examplesIn('docs/operations.md')[0] ?? '').split(/\n\n(.*)/s)
  const inAStack = `import { Stack } from 'aws-cdk-lib'
import type { Topic } from 'aws-cdk-lib/aws-sns'
import type { ElectedSchedule, LeaseTable } from 'tenure/constructs'
${imports}
declare const topic: Topic, hourly: ElectedSchedule, leaseTable: LeaseTable
export class MyStack extends Stack { make() {
${body}
} }`
  const modules = [...examplesIn('README.md'), inAStack]
  expect(modules).toHaveLength(3)
  await Promise.all(modules.map((code, i) => writeFile(join(directory, `example-${i}.ts`), code)))
  const compilerOptions = {
    strict: true,
    module: 'nodenext',
    target: 'es2024',
    lib: ['es2024'],
    types: ['node'],
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    paths: {
      tenure: [join(ROOT, 'functions/election/index.ts')],
      'tenure/metrics': [join(ROOT, 'functions/election/metrics.ts')],
      'tenure/constructs': [join(ROOT, 'infra/constructs/index.ts')],
    },
  }
  await writeFile(join(directory, 'package.json'), '{"type":"module"}')
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  const tsc = join(ROOT, 'node_modules/.bin/tsc')
  const { stdout } = await promisify(execFile)(tsc, ['-p', directory]).catch((error: { stdout: string }) => error)
  expect(stdout).toBe('')
})

test.each([
  ['npm start --', parseOptions, 5],
  ['tenure dev', parseDevOptions, 2],
] as const)('every flag that the README gives %s is in its help', (command, parse, least) => {
  const parsed = parse(['--help'])
  const help = parsed.kind === 'help' ? parsed.text : ''
  const used = [...textOf('README.md').matchAll(new RegExp(`${command} (.*)`, 'g'))].flatMap(
    ([, line = '']) => line.match(/--[\w-]+/g) ?? [],
  )
  expect(used.length).toBeGreaterThan(least)
  for (const flag of used) expect(help).toContain(flag)
})

describe('the claims of docs/protocol.md', () => {
  const rows = new Map(
    [...textOf('docs/protocol.md').matchAll(/^\| ([SL]\d) \| (.+?) \| .+? \| (.+?) \|$/gm)].map(
      ([, claim = '', words = '', checks = '']) => [claim, { words, checks }],
    ),
  )

  test('are those of the proof, word for word', () => {
    expect(Object.fromEntries([...rows].map(([claim, { words }]) => [claim, words]))).toEqual(CLAIMS)
  })

  test.each(Object.keys(CLAIMS))('%s names checks that exist and name the claim', (claim) => {
    const checks = [...(rows.get(claim)?.checks ?? '').matchAll(/`([^`]+)`/g)].map(
      ([, path = '']) => `test/proof/${path}`,
    )
    expect(checks.length).toBeGreaterThan(1)
    for (const check of checks) expect(textOf(check), check).toContain(`'${claim}'`)
  })
})
