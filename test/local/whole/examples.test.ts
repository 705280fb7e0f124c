/** The examples of the documents compile and run: as ES modules, and in a project of `cdk init`, which is CommonJS. */
import { globSync, readFileSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { runOrThrow } from '../../deploy/program.ts'
import { newDirectory, ROOT } from './runs.ts'

const TSC = join(ROOT, 'node_modules/.bin/tsc')
const TIMEOUT_MS = 120_000

interface Example {
  readonly file: string
  readonly code: string
}

/** A block has the name of its file (`ts file=infra/app.ts`), or gets one after its document. */
const EXAMPLES: readonly Example[] = ['README.md', ...globSync('docs/**/*.md', { cwd: ROOT })].flatMap((document) =>
  [...readFileSync(join(ROOT, document), 'utf8').matchAll(/^```ts(?: file=(\S+))?\n(.*?)^```/gms)].map(
    ([, name, code = ''], index) => ({ file: name ?? `${basename(document, '.md')}/example-${index}.ts`, code }),
  ),
)

/** Its `node_modules` has the compiled library, and links to the packages that are installed here. */
let directory = ''
beforeAll(async () => {
  directory = await newDirectory()
  const packages = join(directory, 'node_modules')
  const library = join(packages, 'tenure')
  await runOrThrow(ROOT, TSC, '-p', 'tsconfig.build.json', '--outDir', join(library, 'dist'))
  await cp(join(ROOT, 'package.json'), join(library, 'package.json'))
  for (const name of (await readdir(join(ROOT, 'node_modules'))).filter((name) => name !== 'tenure')) {
    await symlink(join(ROOT, 'node_modules', name), join(packages, name))
  }
  await writeFile(join(directory, 'package-lock.json'), '{}') // the CDK bundles functions below a lock file
}, TIMEOUT_MS)

async function newProject(name: string, examples: readonly Example[]): Promise<string> {
  const project = join(directory, name)
  for (const { file, code } of examples) {
    await mkdir(dirname(join(project, file)), { recursive: true })
    await writeFile(join(project, file), code)
  }
  return project
}

/** Runs the README's app. @returns its template and the bundled function */
async function synthesize(project: string, app: string) {
  const out = join(project, 'cdk.out')
  await runOrThrow(project, 'env', `CDK_OUTDIR=${out}`, 'node', app)
  const [bundle = ''] = globSync('asset.*/index.mjs', { cwd: out })
  const read = (file: string) => readFile(join(out, file), 'utf8')
  return { template: await read('Reports.template.json'), bundle: await read(bundle) }
}

test('there are examples', () => {
  expect(EXAMPLES.length).toBeGreaterThan(8)
})

test('as ES modules they compile, the test passes and the stack is synthesized', { timeout: TIMEOUT_MS }, async () => {
  const project = await newProject('esm', EXAMPLES)
  await writeFile(join(project, 'package.json'), '{ "type": "module" }')
  const settings: { include: string[] } = JSON.parse(
    await readFile(join(ROOT, 'infra/cli/template/tsconfig.json'), 'utf8'),
  )
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ ...settings, include: ['.'] }))
  await runOrThrow(project, TSC)
  expect(await runOrThrow(project, 'node', '--test')).toMatch(/pass [1-9]/)
  expect((await synthesize(project, 'infra/app.ts')).template).toContain('AWS::Scheduler::Schedule')
})

test('in a project of `cdk init` they compile and the stack is synthesized', { timeout: TIMEOUT_MS }, async () => {
  // As the README says: modules that import middy are .mts there. Tests run in Jest: see docs/testing.md.
  const usesMiddy = ({ code }: Example) => code.includes("'@middy/core'")
  const examples = EXAMPLES.filter(({ file }) => !file.startsWith('test/')).map((example) => ({
    file: usesMiddy(example) ? example.file.replace(/\.ts$/, '.mts') : example.file,
    code: example.code.replaceAll('functions/write-report.ts', 'functions/write-report.mts'),
  }))
  await mkdir(join(directory, 'stock'))
  await runOrThrow(
    join(directory, 'stock'),
    ...[join(ROOT, 'node_modules/.bin/cdk'), 'init', 'app', '--language', 'typescript', '--generate-only'],
  )
  const project = await newProject('stock', examples)
  await rm(join(project, 'test'), { recursive: true })
  const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')]
  await runOrThrow(project, TSC, ...types, '--noEmit', 'false', '--outDir', 'out')
  expect(await readFile(join(project, 'out/infra/app.js'), 'utf8')).toContain('require("tenure/constructs")')
  const { template, bundle } = await synthesize(project, 'out/infra/app.js')
  expect(template).toContain('AWS::Scheduler::Schedule')
  expect(bundle).toMatch(/export\{\w+ as handler/)
})
