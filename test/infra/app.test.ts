import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)

/** Runs the app as the CDK's command line does, on a machine that has no AWS account and no Region. */
function synthesize(outdir: string, context: Record<string, unknown> = {}) {
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify(context) }
  return run(process.execPath, [join(root, 'infra/app.ts')], { cwd: root, env })
}

let assembly: string
beforeAll(async () => {
  assembly = await mkdtemp(join(tmpdir(), 'tenure-app-test-'))
  await synthesize(assembly, { candidates: '4', leaseMs: '1500' })
})
afterAll(() => rm(assembly, { recursive: true, force: true }))

const readJson = async (name: string) => JSON.parse(await readFile(join(assembly, name), 'utf8'))

test('the context says how many candidates there are and how long a lease lasts', async () => {
  const template = JSON.stringify(await readJson('TenureBilling.template.json'))
  expect(template.match(/"AWS::Scheduler::Schedule"/g)).toHaveLength(4)
  expect(template).toContain('"LEASE_MS":"1500"')
})

test('the app passes the security checks of AWS Solutions, with one exception that it explains', async () => {
  expect((await readJson('validation-report.json')).pluginReports).toEqual([])
  const template = JSON.stringify(await readJson('TenureBilling.template.json'))
  const acknowledged = template.matchAll(/"rules_to_suppress":\[\{"id":"([^"]+)","reason":"[^"]{20,}"\}\]/g)
  expect(new Set(Array.from(acknowledged, ([, id]) => id))).toEqual(new Set(['AwsSolutions-SQS3']))
})

test('the function is one ECMAScript module that needs nothing beside it', async () => {
  const [asset = 'no asset'] = (await readdir(assembly)).filter((name) => name.startsWith('asset.'))
  expect(await readdir(join(assembly, asset))).toEqual(['index.mjs', 'index.mjs.map'])

  const bundle = join(assembly, asset, 'index.mjs')
  expect((await stat(bundle)).size).toBeLessThan(1_000_000)
  const env = {
    LEASE_TABLE: 'leases',
    LEASE_NAME: 'billing',
    SUBSCRIPTIONS_TABLE: 'subscriptions',
    CHARGES_TABLE: 'charges',
    GATEWAY_URL: 'https://gateway.example',
    AWS_REGION: 'eu-central-1',
  }
  const load = `console.log(typeof (await import(${JSON.stringify(bundle)})).handler)`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', load], { env })
  expect(stdout.trim()).toBe('function')
})

test('a context value that is no number stops the app and says so', async () => {
  await expect(synthesize(join(assembly, 'refused'), { candidates: 'four' })).rejects.toThrow(
    'the context value `candidates` is "four"; give a whole number',
  )
})
