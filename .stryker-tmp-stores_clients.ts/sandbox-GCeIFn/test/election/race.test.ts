/**
 * Real processes, real crashes: fifty candidates ask for the same tick at the same instant, again and again. They are
 * started once, from one bundle, and driven by messages; each tick lies in the past, as a tick that has fired does.
 */
// @ts-nocheck

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { build } from 'esbuild'
import { expect, inject, it, onTestFinished } from 'vitest'
import { leaseRow } from '../support/lease-row.ts'
import type { RaceOrder, Report } from '../support/racer.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'

const RACERS = 50
const TICKS = 20
const FIRST_TICK_MS = Date.parse('2026-01-31T06:00:00.000Z')
const PERIOD_MS = 60_000
const MAX_CLOCK_SKEW_MS = 50
/** Longer than any of these tasks takes on a busy machine. */
const LONG_LEASE_MS = 10_000
/** Of a leader that will be killed: its successor waits until it expires. */
const SHORT_LEASE_MS = 500
/** By then every racer has received its order. */
const HEAD_START_MS = 50

const dynamodb = inject('dynamodbEndpoint')
const client = localClient(dynamodb)
const ticks = Array.from({ length: TICKS }, (_, n) => new Date(FIRST_TICK_MS + n * PERIOD_MS).toISOString())
const lease = 'deadly'

/** What one racer did with one order; `finish` is undefined if it was killed. */
interface Run {
  readonly racer: ChildProcess
  readonly finish: Extract<Report, { kind: 'ended' | 'failed' }> | undefined
  readonly led: Extract<Report, { kind: 'leading' }> | undefined
}

async function startRacers() {
  const directory = await mkdtemp(join(tmpdir(), 'tenure-racer-'))
  const [leases, effects] = [await createLeaseTable(client), await createLeaseTable(client)]
  const outfile = join(directory, 'racer.cjs')
  const entryPoints = [join(import.meta.dirname, '../support/racer.ts')]
  await build({ entryPoints, outfile, bundle: true, minify: true, platform: 'node', mainFields: ['module', 'main'] })
  let racers: ChildProcess[] = []
  onTestFinished(async () => {
    for (const racer of racers) racer.kill('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  })

  /** All racers ask for the tick at the same instant; `whenLeading` decides what happens to the leader. */
  const race = async (order: Omit<RaceOrder, 'startAtMs'>, whenLeading: (leader: ChildProcess) => void) => {
    racers = racers.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
    const env = { ENDPOINT: dynamodb, LEASE_TABLE: leases, EFFECTS_TABLE: effects }
    const started = Array.from({ length: RACERS - racers.length }, () => fork(outfile, { env, execArgv: [] }))
    racers.push(...started)
    await Promise.all(started.map((racer) => once(racer, 'message')))
    const startAtMs = Date.now() + HEAD_START_MS
    return await Promise.all(racers.map((racer) => runOf(racer, { ...order, startAtMs }, whenLeading)))
  }
  return { leases, effects, race }
}

function runOf(racer: ChildProcess, order: RaceOrder, whenLeading: (leader: ChildProcess) => void): Promise<Run> {
  return new Promise((resolve) => {
    let led: Run['led']
    const finished = (finish: Run['finish']) => {
      racer.off('message', heard).off('exit', died)
      resolve({ racer, finish, led })
    }
    const heard = (report: Report) => {
      if (report.kind === 'ended' || report.kind === 'failed') return finished(report)
      if (report.kind !== 'leading') return
      led = report
      whenLeading(racer)
    }
    const died = () => finished(undefined)
    racer.on('message', heard).on('exit', died)
    racer.send(order)
  })
}

const isCompleted = ({ finish }: Run) => finish?.kind === 'ended' && finish.outcome.status === 'completed'

it('if the leader of every second tick is killed during its task, each tick is still completed once', async () => {
  const { leases, effects, race } = await startRacers()
  const tokens: number[] = []
  for (const [n, tick] of ticks.entries()) {
    const order = { lease, tick, maxClockSkewMs: MAX_CLOCK_SKEW_MS }
    // One is killed, or also a late one that asks when the first one's lease has expired. On a machine so busy that a
    // leader loses its short lease before it can report, the race is repeated.
    let killed: readonly Run[] = []
    while (n % 2 === 1 && killed.length === 0) {
      const runs = await race({ ...order, leaseMs: SHORT_LEASE_MS }, (leader) => leader.kill('SIGKILL'))
      expect(runs.filter(isCompleted)).toEqual([])
      killed = runs.filter(({ finish, led }) => finish === undefined && led !== undefined)
    }
    if (killed.length > 0) {
      // Lambda's retry would wait at least as long.
      const { expiresAtMs = 0 } = (await leaseRow(client, leases, lease)) ?? {}
      await sleep(Math.max(0, expiresAtMs + MAX_CLOCK_SKEW_MS - Date.now()))
    }
    const runs = await race({ ...order, leaseMs: LONG_LEASE_MS }, (leader) => leader.send('goOn'))
    const won = runs.filter(isCompleted)
    expect(won).toHaveLength(1)
    for (const { finish, led } of runs.filter((run) => !isCompleted(run))) {
      expect(led).toBeUndefined()
      const reason = expect.stringMatching(/^(held|tickDone)$/)
      expect(finish).toMatchObject({ kind: 'ended', outcome: { status: 'standby', reason } })
    }
    const leaders = [...killed, ...won].toSorted((a, b) => tokenOf(a) - tokenOf(b))
    expect(leaders.at(-1)).toBe(won[0])
    expect(won[0]?.finish).toMatchObject({ outcome: { fencingToken: won[0]?.led?.fencingToken } })
    expect(won[0]?.led?.inherited).toEqual(leaders.length > 1 ? { startedBy: leaders.at(-2)?.racer.pid } : undefined)
    tokens.push(...leaders.map(tokenOf))
  }
  expect(tokens.length).toBeGreaterThanOrEqual(TICKS + TICKS / 2)
  expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b))
  const Key = { lease: { S: lease }, record: { S: 'EFFECTS' } }
  const { Item } = await client.send(new GetItemCommand({ TableName: effects, Key, ConsistentRead: true }))
  expect(ticks.map((tick) => Item?.[tick])).toEqual(ticks.map(() => ({ N: '1' })))
  expect((await leaseRow(client, leases, lease))?.completedTick).toBe(ticks.at(-1))
}, 120_000) // 17 s alone; fifty processes start slowly on a busy machine

function tokenOf({ led }: Run): number {
  return led?.fencingToken ?? Number.NaN
}
