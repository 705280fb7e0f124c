/** The examples of the documents compile and run: as ES modules, and in a project of `cdk init`, which is CommonJS. */
import { globSync, readFileSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CreateTableCommand, DeleteTableCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import { beforeAll, expect, inject, test } from 'vitest'
import { runOrThrow } from '../../deploy/program.ts'
import { localClient } from '../../support/tables.ts'
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

const scheduled = (tick: string) => ({ tick, periodMs: 3_600_000, exactPeriod: true, schedule: 'reports-1' })
const ofRule = (time: string) => ({ source: 'aws.events', 'detail-type': 'Scheduled Event', time })

/** Each handler: its export, the event that the text says, what a second call is, and the row beside its id. */
const HANDLERS: readonly (readonly [string, string, (tick: string) => object, string, object])[] = [
  ['functions/write-report', 'handler', scheduled, 'tickDone', { total: 42 }],
  ['migrating/example-0', 'handler', scheduled, 'tickDone', {}],
  ['migrating/example-1', 'handler', scheduled, 'tickDone', {}],
  ['migrating/example-2', 'handler', ofRule, 'tickDone', {}],
  ['migrating/example-3', 'runOnce', () => ({}), 'completed', { id: 'latest' }],
  ['without-cdk/example-0', 'handler', scheduled, 'tickDone', { total: 42 }],
]
const tickOf = (index: number) => `2024-01-31T0${index}:00:00.000Z`

const CALL_TWICE = `
const calls = JSON.parse(process.argv[1])
for (const call of calls) {
  process.env.LEASE_NAME = call.lease
  const { [call.name]: handler } = await import(call.url)
  for (const id of ['1', '2']) {
    const context = { functionName: 'f', awsRequestId: call.lease + id, getRemainingTimeInMillis: () => 60_000 }
    const { status, reason = status } = await handler(call.event, context)
    console.log(call.lease, reason)
  }
}`

/** Runs the handlers as Lambda does, with the SDK's own client, on the tables that the documents name. */
async function callHandlers(project: string, compiled: string): Promise<void> {
  const endpoint = inject('dynamodbEndpoint')
  const client = localClient(endpoint)
  const tables = { leases: ['lease', 'record'], Reports: ['id'] }
  for (const [TableName, keys] of Object.entries(tables)) {
    const AttributeDefinitions = keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const }))
    const KeySchema = keys.map(
      (AttributeName, at) => ({ AttributeName, KeyType: at === 0 ? 'HASH' : 'RANGE' }) as const,
    )
    const BillingMode = 'PAY_PER_REQUEST'
    await client.send(new CreateTableCommand({ TableName, BillingMode, AttributeDefinitions, KeySchema }))
  }
  try {
    const calls = HANDLERS.map(([lease, name, eventOf], index) => {
      const [file = ''] = globSync(`${lease}.{ts,js,mjs}`, { cwd: compiled })
      return { lease, name, url: pathToFileURL(join(compiled, file)).href, event: eventOf(tickOf(index)) }
    })
    const variables = [
      ...[`AWS_ENDPOINT_URL_DYNAMODB=${endpoint}`, 'AWS_REGION=eu-central-1', 'AWS_ACCESS_KEY_ID=local'],
      ...['AWS_SECRET_ACCESS_KEY=local', 'LEASE_TABLE=leases', 'LEASE_MS=15000', 'REPORTS_TABLE=Reports'],
    ]
    const node = ['node', '--input-type=module', '-e', CALL_TWICE, JSON.stringify(calls)]
    const output = await runOrThrow(project, 'env', ...variables, ...node)
    const printed = output.split('\n').filter((line) => HANDLERS.some(([lease]) => line.startsWith(`${lease} `)))
    expect(printed).toEqual(HANDLERS.flatMap(([lease, , , second]) => [`${lease} completed`, `${lease} ${second}`]))
    const { Items = [] } = await client.send(new ScanCommand({ TableName: 'Reports' }))
    const written = HANDLERS.map(([, , , , row], index) => expect.objectContaining({ id: tickOf(index), ...row }))
    expect(Items.map((item) => unmarshall(item)).sort((a, b) => (a['id'] < b['id'] ? -1 : 1))).toEqual(
      written.sort((a, b) => (a.sample.id < b.sample.id ? -1 : 1)),
    )
  } finally {
    for (const TableName of Object.keys(tables)) await client.send(new DeleteTableCommand({ TableName }))
    client.destroy()
  }
}

const USE_CONSTRUCTS = `
import { App, Stack } from 'aws-cdk-lib'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { LeaseTable } from 'tenure/constructs'
const [, migrating, operations] = process.argv
const { dailyReport } = await import(migrating)
const { reportElections } = await import(operations)
const app = new App()
const stack = new Stack(app, 'Daily')
reportElections(stack, dailyReport(stack, new LeaseTable(stack, 'Leases')), new Topic(stack, 'Topic'))
app.synth()`

/** Calls the examples that make constructs. @returns the template of their stack */
async function callConstructs(project: string, compiled: string): Promise<string> {
  const urls = ['migrating/example-4', 'operations/example-0'].map((name) => {
    const [file = ''] = globSync(`${name}.{ts,js}`, { cwd: compiled })
    return pathToFileURL(join(compiled, file)).href
  })
  const out = join(project, 'constructs.out')
  await runOrThrow(project, 'env', `CDK_OUTDIR=${out}`, 'node', '--input-type=module', '-e', USE_CONSTRUCTS, ...urls)
  return await readFile(join(out, 'Daily.template.json'), 'utf8')
}

test('every example that is no stack and no test is a handler that is called', () => {
  const handlers = EXAMPLES.filter(({ code }) => !/'tenure\/constructs'|'node:test'/.test(code))
  expect(handlers.map(({ file }) => file.replace(/\.ts$/, '')).sort()).toEqual(HANDLERS.map(([file]) => file).sort())
  expect(EXAMPLES.length).toBeGreaterThan(8)
})

test('as ES modules they compile and run, the test passes and the stacks are synthesized', {
  timeout: TIMEOUT_MS,
}, async () => {
  const project = await newProject('esm', EXAMPLES)
  await writeFile(join(project, 'package.json'), '{ "type": "module" }')
  const settings: { include: string[] } = JSON.parse(
    await readFile(join(ROOT, 'infra/cli/template/tsconfig.json'), 'utf8'),
  )
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ ...settings, include: ['.'] }))
  await runOrThrow(project, TSC)
  expect(await runOrThrow(project, 'node', '--test')).toMatch(/pass [1-9]/)
  expect((await synthesize(project, 'infra/app.ts')).template).toContain('AWS::Scheduler::Schedule')
  await callHandlers(project, project)
  const constructs = await callConstructs(project, project)
  for (const made of ['cron(0 6 * * ? *)', 'AWS::CloudWatch::Alarm', 'AWS::CloudWatch::Dashboard']) {
    expect(constructs).toContain(made)
  }
})

test('in a project of `cdk init` they compile and run, and the stacks are synthesized', {
  timeout: TIMEOUT_MS,
}, async () => {
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
  await callHandlers(project, join(project, 'out'))
  expect(await callConstructs(project, join(project, 'out'))).toContain('AWS::CloudWatch::Dashboard')
})
