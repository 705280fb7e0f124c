/** The examples of the documents compile and run in a project of `cdk init`, which is CommonJS. */
// @ts-nocheck

import { globSync, readFileSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { CreateTableCommand, DeleteItemCommand, DeleteTableCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { lambdaContext } from '../../../functions/election/testing/index.ts'
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

const endpoint = inject('dynamodbEndpoint')
const client = localClient(endpoint)
beforeAll(async () => {
  const [, json = ''] = /```json table\n(.*?)```/s.exec(readFileSync(join(ROOT, 'docs/without-cdk.md'), 'utf8')) ?? []
  const leases = { ...JSON.parse(json), TableName: 'leases', DeletionProtectionEnabled: false }
  const KeySchema = [{ AttributeName: 'id', KeyType: 'HASH' }]
  const AttributeDefinitions = [{ AttributeName: 'id', AttributeType: 'S' }]
  const reports = { ...leases, TableName: 'Reports', KeySchema, AttributeDefinitions }
  for (const table of [leases, reports]) await client.send(new CreateTableCommand(table))
  const access = { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' }
  const variables = { ...access, LEASE_TABLE: 'leases', LEASE_MS: '15000', REPORTS_TABLE: 'Reports' }
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', endpoint)
})
afterAll(async () => {
  process.chdir(ROOT)
  for (const TableName of ['leases', 'Reports']) await client.send(new DeleteTableCommand({ TableName }))
})

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

const scheduled = (tick: string) => ({ tick, schedule: 'reports-1' })
const ofRule = (time: string) => ({ source: 'aws.events', 'detail-type': 'Scheduled Event', time })
const DONE = { status: 'standby', reason: 'tickDone' }

/** Each handler: its export, the event that the text says, the outcome of a second call, and the row that it writes. */
const HANDLERS: readonly (readonly [string, string, (tick: string) => object, object, object])[] = [
  ['functions/write-report', 'handler', scheduled, DONE, { total: 42 }],
  ['functions/write-report', 'handler', ofRule, DONE, { total: 42 }],
  ['migrating/example-0', 'runOnce', () => ({}), { status: 'completed' }, { id: 'latest' }],
  ['without-cdk/example-0', 'handler', scheduled, DONE, { total: 42 }],
  ['functions/run-once', 'handler', () => ({}), { status: 'completed' }, { id: 'latest', total: 7 }],
]

/** For servers, or parts of a task: they are compiled, and their parts have tests of their own. */
const NOT_CALLED = ['operations/example-1', 'server/main', 'servers/example-0']

/** Loads modules as Node does, without Vitest. */
function loaderOf(compiled: string) {
  const load = createRequire(join(compiled, 'any.js'))
  const example = (name: string) => load(join(compiled, ...globSync(`${name}.{ts,js,mjs}`, { cwd: compiled })))
  return { load, example }
}

/** Calls the handlers as Lambda does, with the SDK's own client, on the tables that the documents name. */
async function callHandlers(compiled: string): Promise<void> {
  const { example } = loaderOf(compiled)
  for (const [index, [file, name, eventOf, second, row]] of HANDLERS.entries()) {
    vi.stubEnv('LEASE_NAME', `${basename(compiled)}/${index}`)
    const tick = `2024-01-31T0${index}:00:00.000Z`
    const { [name]: handler } = example(file)
    expect(await handler(eventOf(tick), lambdaContext()), file).toMatchObject({ status: 'completed' })
    expect(await handler(eventOf(tick), lambdaContext()), file).toMatchObject(second)
    const { Items = [] } = await client.send(new ScanCommand({ TableName: 'Reports' }))
    expect(Items.map((item) => unmarshall(item))).toEqual([expect.objectContaining({ id: tick, ...row })])
    const Key = { id: Items[0]?.['id'] ?? { S: '' } }
    await client.send(new DeleteItemCommand({ TableName: 'Reports', Key }))
  }
}

/** Calls the examples that make constructs. @returns the template of their stack */
function callConstructs(project: string, compiled: string): string {
  const { load, example } = loaderOf(compiled)
  const [{ App, Stack }, { Topic }, { LeaseTable }] = ['aws-cdk-lib', 'aws-cdk-lib/aws-sns', 'tenure/constructs'].map(
    load,
  )
  process.chdir(project) // entries are relative to it
  const app = new App({ outdir: join(project, 'constructs.out') })
  const stack = new Stack(app, 'Daily')
  const daily = example('migrating/example-1').dailyReport(stack, new LeaseTable(stack, 'Leases'))
  example('operations/example-0').reportElections(stack, daily, new Topic(stack, 'Topic'))
  return JSON.stringify(app.synth().getStackByName('Daily').template)
}

/** What cdk-nag finds in the stack of servers, and why that stays. */
const FINDINGS = [
  { id: 'AwsSolutions-ECS2', reason: 'The names of a table and a lease are no secrets' },
  { id: 'AwsSolutions-IAM5[Resource::*]', reason: 'ecr:GetAuthorizationToken accepts no other resource' },
]

/** Calls the example of servers, whose image is not built. @returns the template of its stack */
async function callServers(project: string, compiled: string): Promise<Template> {
  const { load, example } = loaderOf(compiled)
  const [{ App, Stack, Validations }, { TableV2 }, { Vpc }, { Cluster }, { AwsSolutionsChecks }, { LeaseTable }] = [
    ...['aws-cdk-lib', 'aws-cdk-lib/aws-dynamodb', 'aws-cdk-lib/aws-ec2', 'aws-cdk-lib/aws-ecs', 'cdk-nag'],
    'tenure/constructs',
  ].map(load)
  process.chdir(project)
  await mkdir('server', { recursive: true })
  await writeFile('server/Dockerfile', 'FROM scratch')
  const app = new App({ outdir: join(project, 'servers.out') })
  const stack = new Stack(app, 'Servers')
  const [availabilityZones, privateSubnetIds] = [['a'], ['subnet-11111111']]
  const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', { vpcId: 'vpc-11111111', availabilityZones, privateSubnetIds })
  const cluster = Cluster.fromClusterAttributes(stack, 'Cluster', { clusterName: 'servers', vpc })
  const reports = TableV2.fromTableName(stack, 'Reports', 'Reports')
  example('standing/example-1').scheduler(stack, new LeaseTable(stack, 'Leases'), cluster, reports)
  for (const finding of FINDINGS) Validations.of(stack).acknowledge(finding)
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app)) // an error fails the synthesis
  return Template.fromJSON(app.synth().getStackByName('Servers').template)
}

test('every example that is no stack and no test is a handler that is called, or compiled at least', () => {
  const handlers = EXAMPLES.filter(({ code }) => !/'tenure\/constructs'|'node:test'/.test(code))
  expect(handlers.map(({ file }) => file.replace(/\.ts$/, '')).sort()).toEqual(
    [...new Set([...HANDLERS.map(([file]) => file), ...NOT_CALLED])].sort(),
  )
  expect(EXAMPLES.length).toBeGreaterThan(6)
})

function expectServers(template: Template): void {
  const table = { Ref: Match.stringLikeRegexp('^Leases') }
  const LEASE_NAME = 'scheduler'
  const Environment = Object.entries({ LEASE_TABLE: table, LEASE_NAME }).map(([Name, Value]) => ({ Name, Value }))
  const ContainerDefinitions = [Match.objectLike({ Environment, StopTimeout: 30 })]
  template.hasResourceProperties('AWS::ECS::TaskDefinition', { ContainerDefinitions })
  const Variables = Match.objectLike({ LEASE_TABLE: table, LEASE_NAME })
  template.hasResourceProperties('AWS::Lambda::Function', { Environment: { Variables } })
  const lead = ['dynamodb:UpdateItem', 'dynamodb:ConditionCheckItem']
  const granted = { TaskTaskRole: ['dynamodb:GetItem', 'dynamodb:Query', ...lead], RunOnceRole: lead }
  for (const [role, Action] of Object.entries(granted)) {
    const Condition = Match.objectLike({ 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [LEASE_NAME] } })
    const Statement = Match.arrayWith([Match.objectLike({ Effect: 'Allow', Action, Condition })])
    const Roles = [{ Ref: Match.stringLikeRegexp(`^${role}`) }]
    template.hasResourceProperties('AWS::IAM::Policy', { Roles, PolicyDocument: { Statement } })
  }
}

// As ES modules the test and the stack of the README are run in new-project.test.ts.
test('in a project of `cdk init` they compile, run and synthesize', {
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
  await callHandlers(join(project, 'out'))
  const constructs = callConstructs(project, join(project, 'out'))
  for (const made of ['cron(0 6 * * ? *)', 'AWS::CloudWatch::Alarm', 'AWS::CloudWatch::Dashboard']) {
    expect(constructs).toContain(made)
  }
  expectServers(await callServers(project, join(project, 'out')))
})
