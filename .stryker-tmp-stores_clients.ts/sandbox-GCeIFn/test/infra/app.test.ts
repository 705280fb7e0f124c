// @ts-nocheck
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { modulesOf } from '../support/bundle.ts'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)

/** Runs the app as the CDK CLI does, without an AWS account and a Region. */
function synthesize(outdir: string, context: Record<string, unknown> = {}) {
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify(context) }
  return run(process.execPath, [join(root, 'infra/app.ts')], { cwd: root, env })
}

let directory: string
let assembly: string
let withRealGateway: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tenure-app-test-'))
  assembly = join(directory, 'sandbox')
  withRealGateway = join(directory, 'real')
  await synthesize(assembly, { candidates: '4', leaseMs: '1500' })
  // Without bundling, because the functions are the same.
  await synthesize(withRealGateway, { gatewayUrl: 'https://api.stripe.com', 'aws:cdk:bundling-stacks': [] })
  // Bundling five functions takes long if other tests run at the same time.
}, 180_000)
afterAll(() => rm(directory, { recursive: true, force: true }))

const readJson = async (name: string, from = assembly) => JSON.parse(await readFile(join(from, name), 'utf8'))

/** The bundle of the function whose logical id has this prefix. */
async function bundleOf(prefix: string, from = assembly): Promise<string> {
  const { Resources } = await readJson('TenureBilling.template.json', from)
  const found = Object.keys(Resources).find(
    (id) => id.startsWith(prefix) && Resources[id].Type === 'AWS::Lambda::Function',
  )
  return join(from, `asset.${Resources[found ?? prefix].Properties.Code.S3Key.replace('.zip', '')}`)
}

/** Loads the bundle as Lambda does, and returns the type of its handler. */
async function load(bundle: string, env: Record<string, string>): Promise<string> {
  const script = `console.log(typeof (await import(${JSON.stringify(join(bundle, 'index.mjs'))})).handler)`
  const variables = { AWS_REGION: 'eu-central-1', ...env }
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { env: variables })
  return stdout.trim()
}

test('the app passes the AWS Solutions checks of cdk-nag, with exceptions that have a reason', async () => {
  const acknowledged = async (from: string) => {
    expect((await readJson('validation-report.json', from)).pluginReports).toEqual([])
    const template = JSON.stringify(await readJson('TenureBilling.template.json', from))
    const rules = template.matchAll(/"rules_to_suppress":\[\{"id":"([^"]+)","reason":"[^"]{20,}"\}\]/g)
    return new Set(Array.from(rules, ([, id]) => id))
  }
  expect(await acknowledged(assembly)).toEqual(new Set(['AwsSolutions-DDB3', 'AwsSolutions-SQS3']))
  expect(await acknowledged(withRealGateway)).toEqual(new Set(['AwsSolutions-SMG4', 'AwsSolutions-SQS3']))
})

const BILLING = {
  LEASE_TABLE: 'leases',
  LEASE_NAME: 'billing',
  SUBSCRIPTIONS_TABLE: 'subscriptions',
  CHARGES_TABLE: 'charges',
  GATEWAY_FUNCTION: 'sandbox',
}

test.each([
  ['ChargeSubscriptions', BILLING],
  ['Sandbox', { SANDBOX_TABLE: 'sandbox' }],
  ['Events', { LEASE_TABLE: 'leases', EVENT_BUS: 'default' }],
  ['Alarms', { LEASE_TABLE: 'leases' }],
  ['Dashboard', { LEASE_TABLE: 'leases' }],
])('the function %s is ECMAScript modules without dependencies, each with a source map', async (prefix, env) => {
  const bundle = await bundleOf(prefix)
  const files = await readdir(bundle)
  const modules = files.filter((file) => file.endsWith('.mjs'))
  expect(modules).toContain('index.mjs')
  expect(files.toSorted()).toEqual(modules.flatMap((file) => [file, `${file}.map`]).toSorted())
  const sizes = await Promise.all(modules.map(async (file) => (await stat(join(bundle, file))).size))
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(1_000_000)
  expect(await load(bundle, env)).toBe('function')
})

test('a billing function that stands by loads no file with the task', async () => {
  const { all, loaded } = modulesOf(await bundleOf('ChargeSubscriptions'))
  const ofTheTask = [...all].flatMap(([file, text]) => (text.includes('payment_intents') ? [file] : []))
  expect(ofTheTask).not.toEqual([])
  expect(ofTheTask.filter((file) => loaded.has(file))).toEqual([])
})
