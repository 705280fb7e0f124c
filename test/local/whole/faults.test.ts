/**
 * The real stack and its real bundles, with and without each protection, under the same faults. What is shown here is
 * shown by `npm start -- --without …` and `--chaos …`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { billing } from '../../../infra/local/billing/billing-task.ts'
import { generateCustomers } from '../../../infra/local/billing/customers.ts'
import { startDisplay } from '../../../infra/local/cli/display.ts'
import { parseOptions } from '../../../infra/local/cli/options.ts'
import { simulate } from '../../../infra/local/run/simulation.ts'
import { appCommand, synthesize } from '../../../infra/local/stack/synthesize.ts'

const ROOT = join(import.meta.dirname, '../../..')
/** Most of a run is waiting for retries and leases, so that runs go well side by side. */
const [candidates, timeScale] = [2, 0.1]
/** Shorter than the retries' delay, and long enough for a machine on which many processes start at once. */
const LEASE_MS = 3_000
const SHORT = ['--no-page', '--every', '0s', '--candidates', String(candidates), '--time-scale', String(timeScale)]
const TIMEOUT_MS = 240_000

/** The stacks, synthesized once for all runs: that is half of what starting one costs. */
let assembly: string
beforeAll(async () => {
  assembly = await mkdtemp(join(tmpdir(), 'tenure-test-'))
  const context = { candidates, leaseMs: LEASE_MS }
  await synthesize({ app: await appCommand(ROOT), directory: assembly, context }, ROOT)
})
afterAll(() => rm(assembly, { recursive: true }))

/**
 * A run that could not do what it was asked for shows nothing, and is repeated: where the machine is very busy, a
 * leader may lose its lease before it can be frozen or killed in mid-task.
 *
 * @param customers all due at the first tick; by default some fall due at every tick
 */
async function run(flags: string, customers?: number) {
  for (let attempt = 1; ; attempt++) {
    const ended = await runOnce(flags, customers)
    if (ended.verdict.inconclusive.length === 0 || attempt === 3) return ended
  }
}

async function runOnce(flags: string, customers?: number) {
  const parsed = parseOptions([...flags.split(' '), ...SHORT])
  if (parsed.kind === 'help') throw new Error('It printed the help')
  let said = ''
  const write = (text: string) => {
    said += text
  }
  const display = startDisplay({ write }, {})
  const signal = new AbortController().signal
  const app = `cp -R "${assembly}/." "$CDK_OUTDIR"`
  const subscriptions =
    customers === undefined ? generateCustomers(1) : generateCustomers(1, customers, { dueTogether: true })
  const dynamodb = { endpoint: inject('dynamodbEndpoint'), stop: async () => {} }
  const { options } = parsed
  const task = billing(subscriptions)
  const ended = await simulate({ options, task, app, root: ROOT, display, dynamodb, signal })
  return { ...ended, said }
}

const RIGHT = { completedTwice: 0, duplicateCharges: 0, dueNotCharged: 0, wrongCharges: 0, lostUpdates: 0 }

describe.concurrent('a whole run', { timeout: TIMEOUT_MS }, () => {
  test('whose leaders are frozen and killed at the worst moments is right to the cent', async () => {
    const { summary, verdict, said } = await run('--freeze-leader 1 --kill-leader 2 --ticks 3')
    expect(verdict, said).toEqual({ faults: [], harm: [], inconclusive: [] })
    expect(summary, said).toMatchObject({ ...RIGHT, ticks: 3, completed: 3 })
    expect(summary.tookOver, said).toBeGreaterThanOrEqual(2)
    expect(summary.staleWritesRefused, said).toBeGreaterThanOrEqual(1)
    expect(said).toMatch(/writes? of replaced leaders refused by the fence/)
    expect(said).toContain('✓ Everything due was charged')
  })

  test('without the lease has ticks that all candidates complete, and says so', async () => {
    const { summary, verdict, said } = await run('--without lease --ticks 1', 3)
    expect(summary.completedTwice, said).toBeGreaterThanOrEqual(1)
    expect(verdict.harm, said).toEqual([expect.stringContaining('without the lease: ')])
    expect(verdict.faults.join(), said).toContain('completed more than once')
    expect(said).toContain('The deployed code is unchanged')
    expect(said).toContain('without the lease: ')
  })

  test('without the fence lets a leader that slept overwrite what its successor wrote, and says so', async () => {
    // One customer: had the sleeper more on its way, a row that has moved on might refuse it by a condition of the task's own.
    const { summary, verdict, said } = await run('--without fence --ticks 1', 1)
    expect(summary, said).toMatchObject({ lostUpdates: 1, tookOver: 1, duplicateCharges: 0, staleWritesRefused: 0 })
    expect(verdict.harm, said).toEqual(['without the fence: 1 charge overwritten in the ledger by a replaced leader'])
    expect(verdict.faults.join(), said).toContain('gateway and ledger disagree on 1 charge')
  })

  test('without the key charges twice where a leader dies before it is told, and says so', async () => {
    const { summary, verdict, said } = await run('--without key --ticks 1', 3)
    expect(summary.duplicateCharges, said).toBeGreaterThanOrEqual(1)
    expect(summary, said).toMatchObject({ tookOver: 1, dueNotCharged: 0, completedTwice: 0 })
    expect(verdict.harm, said).toEqual([expect.stringMatching(/^without the key: \d+ charges? too many$/)])
    expect(verdict.faults.join(), said).toMatch(/charges? too many/)
  })

  test('in chaos is right when it is calm again', async () => {
    const { summary, verdict, said } = await run('--chaos 1 --ticks 2')
    expect(verdict, said).toEqual({ faults: [], harm: [], inconclusive: [] })
    expect(summary, said).toMatchObject(RIGHT)
    expect(summary.tookOver, said).toBeGreaterThanOrEqual(1)
    expect(summary.staleWritesRefused, said).toBeGreaterThanOrEqual(1)
    expect(said).toMatch(/⚡ leader killed .*[\s\S]*⚡ leader frozen /)
  })
})
