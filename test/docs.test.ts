/** What the documents say of the code is true: links lead somewhere, examples compile, flags exist. */
import { execFile } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseOptions } from '../infra/local/cli/options.ts'
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

test.each(DOCUMENTS)('every link in %s leads to a file of the project, and every anchor to a heading', (path) => {
  const links = [...textOf(path).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)]
  for (const [link, target = '', anchor] of links) {
    const file = target === '' ? path : join(dirname(path), target)
    expect(existsSync(resolve(ROOT, file)), link).toBe(true)
    if (anchor !== undefined) expect(anchorsOf(file), link).toContain(anchor)
  }
})

describe('README.md', () => {
  const readme = textOf('README.md')
  const examples = [...readme.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = '']) => code)

  test('elects a function of one’s own in under 15 lines, with middy and without, and 15 of its stack', () => {
    const [withMiddy = '', stack = '', without = ''] = examples
    expect(withMiddy).toContain('leaderOnly(')
    expect(without).toContain('withLease(')
    expect(stack).toContain('new ElectedSchedule(')
    for (const code of [withMiddy, without, stack]) expect(code.trim().split('\n').length).toBeLessThan(15)
  })

  test('has examples that compile', async () => {
    // Beside the installed packages, so that they are found as they are in a project that uses them.
    const directory = await mkdtemp(join(ROOT, 'node_modules/.examples-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const inAStack = (code: string) => code.includes('tenure/constructs')
    const modules = examples.map((code) => {
      if (!inAStack(code)) {
        return `${code}\ndeclare function due(tick?: string): Promise<Record<string, unknown>[]>`
      }
      const imports = [
        `import { Duration, Stack, type TimeZone } from 'aws-cdk-lib'`,
        `import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'`,
        `import type { Topic } from 'aws-cdk-lib/aws-sns'`,
        `import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb'`,
        `import type { ElectedSchedule as AnElectedSchedule, LeaseTable as ALeaseTable } from 'tenure/constructs'`,
        'declare const topic: Topic, invoices: TableV2, timeZone: TimeZone',
      ]
      const [own = '', body = ''] = code.split(/\n\n(.*)/s)
      const made = code.includes('new ElectedSchedule(')
        ? ''
        : 'declare const hourly: AnElectedSchedule, leaseTable: ALeaseTable\n'
      return `${imports.join('\n')}\n${own}\n${made}export class MyStack extends Stack { make() {\n${body}\n} }`
    })
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

  test('names every flag of npm start, and no other', () => {
    const parsed = parseOptions(['--help'])
    const help = parsed.kind === 'help' ? parsed.text : ''
    const flagsIn = (text: string) =>
      [...new Set([...text.matchAll(/--([a-z][a-z-]+)/g)].map(([flag]) => flag))].toSorted()
    const table = readme.slice(readme.indexOf('| flag |'), readme.indexOf('The exit code'))
    expect(flagsIn(table)).toEqual(
      flagsIn(help.slice(0, help.indexOf('Ticks are'))).filter((flag) => flag !== '--help'),
    )
  })
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

  test.each(Object.keys(CLAIMS))('%s names checks that there are, and that speak of it', (claim) => {
    const checks = [...(rows.get(claim)?.checks ?? '').matchAll(/`([^`]+)`/g)].map(
      ([, path = '']) => `test/proof/${path}`,
    )
    expect(checks.length).toBeGreaterThan(1)
    for (const check of checks) expect(textOf(check), check).toContain(`'${claim}'`)
  })
})
