/** What users pay for, as far as it does not depend on the machine: a bound may be lowered, and raised for a reason. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, onTestFinished, test, vi } from 'vitest'
import { withLease } from '../../functions/election/index.ts'
import { describeLeaseRequest } from '../../functions/election/stores/describe.ts'
import { DynamoDBLeaseStore } from '../../functions/election/stores/dynamodb.ts'
import { simulatedClient } from '../../functions/election/testing/dynamodb/client.ts'
import { SimulatedDynamoDB } from '../../functions/election/testing/dynamodb/database.ts'
import { serve } from '../support/dynamodb/wire.ts'
import { bundleAll, modulesOf, packageOf } from './bundles.ts'
import { startOnce, variablesFor } from './processes.ts'

/** Of the bytes of a handler with the bare SDK. */
const MOST_BYTES = { withLease: 1.4, leaderOnly: 1.42 }
const MOST_LOADED_BY_A_LOSER = 0.29
/** Of the bytes that the bare SDK allocates to send the same requests. */
const MOST_ALLOCATED = 1.25

const OTHER_PACKAGES = ['tenure', 'the handler', '@aws-lambda-powertools/commons', '@middy/core', 'leven']

const directory = mkdtempSync(join(tmpdir(), 'tenure-guard-'))
afterAll(() => rmSync(directory, { recursive: true }))
const tick = '2026-01-01T00:00:00.000Z'
const table = { name: 'leases', partitionKey: 'lease', sortKey: 'record' }

test('a win, a loss, a renewal and a completion are one request each', async () => {
  const database = new SimulatedDynamoDB()
  database.createTable(table)
  const sent: unknown[] = []
  let onSent = () => {}
  const client = simulatedClient((operation, body) => {
    sent.push(describeLeaseRequest(operation, body, 'leases')?.kind)
    onSent()
    return database.execute(operation, body)
  })
  const options = { store: new DynamoDBLeaseStore({ tableName: 'leases', client }), lease: 'guard', tick, leaseMs: 600 }
  await withLease(options, async () => {
    await withLease({ ...options, candidate: 'loser' }, () => {})
    await new Promise<void>((resolve) => {
      onSent = resolve
    })
  })
  expect(sent).toEqual(['acquire', 'acquire', 'renew', 'complete'])
})

test('bundles and what a loser loads stay within their bounds', async () => {
  const bundles = bundleAll(directory, ['bare SDK', 'withLease', 'leaderOnly'])
  const bytes = (subject: 'bare SDK' | keyof typeof MOST_BYTES) => bundles.get(subject)?.bytes ?? Number.NaN
  for (const subject of ['withLease', 'leaderOnly'] as const) {
    expect(bytes(subject) / bytes('bare SDK'), subject).toBeLessThan(MOST_BYTES[subject])
  }
  // As developers have them: these settings must not change what is measured.
  mkdirSync(join(directory, '.aws'))
  writeFileSync(join(directory, '.aws/config'), '')
  vi.stubEnv('HOME', directory)
  onTestFinished(() => void vi.unstubAllEnvs())
  const database = new SimulatedDynamoDB()
  database.createTable(table)
  await using server = await serve(async (operation, body) => database.execute(operation, body))
  const variables = { ...variablesFor(server.endpoint, 'guard'), BENCH_TRACE: '1' }
  const start = () => startOnce(bundles.get('leaderOnly')?.file ?? '', variables)
  const [winner, loser] = [await start(), await start()]
  expect([winner.status, loser.status]).toEqual(['completed', 'standby'])
  const loadedBytes = loser.loaded.reduce((sum, url) => sum + statSync(fileURLToPath(url)).size, 0)
  expect(loadedBytes / bytes('bare SDK')).toBeLessThan(MOST_LOADED_BY_A_LOSER)
}, 120_000)

test('what a candidate loads at its start comes from the SDK and few other packages', async () => {
  const loaded = (await modulesOf('leaderOnly')).filter(({ isStatic }) => isStatic).map(({ path }) => packageOf(path))
  const isOfSdk = (name: string) => /^@(aws|aws-sdk|smithy)\/|^(mnemonist|obliterator)$/.test(name)
  expect([...new Set(loaded)].filter((name) => !isOfSdk(name) && !OTHER_PACKAGES.includes(name))).toEqual([])
})

test('a cycle allocates little more than the bare SDK with the same requests', () => {
  const flags = ['--expose-gc', '--no-opt', '--min-semi-space-size=256', '--max-semi-space-size=256']
  const program = join(import.meta.dirname, 'allocations.ts')
  const ratio = Number(execFileSync(process.execPath, [...flags, program], { encoding: 'utf8' }))
  expect(ratio).toBeGreaterThan(1)
  expect(ratio).toBeLessThan(MOST_ALLOCATED)
})
