/**
 * Real processes, real crashes: fifty candidates ask for the same tick at the same instant, again and again. They are
 * started once, from one bundle, and driven by messages; each tick lies in the past, as a tick that has fired does.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import type { StandbyReason } from '../../functions/election/index.ts'
import { leaseRow } from '../support/lease-row.ts'
import type { Order, RaceOrder, Report } from '../support/racer.ts'
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

let directory: string
let leases: string
let effects: string
let racers: ChildProcess[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tenure-racer-'))
  leases = await createLeaseTable(client)
  effects = await createLeaseTable(client)
  await build({
    entryPoints: [fileURLToPath(new URL('../support/racer.ts', import.meta.url))],
    outfile: join(directory, 'racer.cjs'),
    bundle: true,
    minify: true,
    platform: 'node',
    mainFields: ['module', 'main'],
  })
  await fillUp()
})

afterAll(async () => {
  await Promise.all(racers.map(kill))
  await rm(directory, { recursive: true, force: true })
})

/** Starts as many racers as are missing. */
async function fillUp(): Promise<void> {
  const env = { ENDPOINT: dynamodb, LEASE_TABLE: leases, EFFECTS_TABLE: effects }
  racers = racers.filter(isAlive)
  const started = Array.from({ length: RACERS - racers.length }, () =>
    fork(join(directory, 'racer.cjs'), { env, execArgv: [] }),
  )
  racers.push(...started)
  await Promise.all(started.map((racer) => once(racer, 'message')))
}

const isAlive = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null

async function kill(racer: ChildProcess): Promise<void> {
  if (!isAlive(racer)) return
  const exit = once(racer, 'exit')
  racer.kill('SIGKILL')
  await exit
}

type Leading = Extract<Report, { kind: 'leading' }>
type Finish = Extract<Report, { kind: 'ended' | 'failed' }> | { readonly kind: 'died' }
interface Run {
  readonly racer: ChildProcess
  readonly finish: Finish
  readonly led: Leading | undefined
}

type Killed = Run & { readonly led: Leading }

/** All racers ask for the tick at the same instant; `whenLeading` decides what happens to the leader. */
async function race(order: Omit<RaceOrder, 'startAtMs'>, whenLeading: (leader: ChildProcess) => void): Promise<Run[]> {
  const startAtMs = Date.now() + HEAD_START_MS
  return await Promise.all(
    racers.map(
      (racer) =>
        new Promise<Run>((resolve) => {
          let led: Leading | undefined
          const finished = (finish: Finish) => {
            racer.off('message', heard).off('exit', died)
            resolve({ racer, finish, led })
          }
          const heard = (report: Report) => {
            if (report.kind === 'ended' || report.kind === 'failed') return finished(report)
            if (report.kind !== 'leading') return
            led = report
            whenLeading(racer)
          }
          const died = () => finished({ kind: 'died' })
          racer.on('message', heard).on('exit', died)
          send(racer, { ...order, startAtMs })
        }),
    ),
  )
}

function send(racer: ChildProcess, order: Order): void {
  racer.send(order)
}

/** The one run that completed the tick; all others stood by for one of `reasons`. */
function onlyWinner(runs: readonly Run[], reasons: readonly StandbyReason[]): Leading {
  const [winner, ...more] = runs.filter(
    ({ finish }) => finish.kind === 'ended' && finish.outcome.status === 'completed',
  )
  const losers = runs.filter((run) => run !== winner)
  expect(more).toEqual([])
  expect(losers).toHaveLength(RACERS - 1)
  for (const { finish, led } of losers) {
    expect(led).toBeUndefined()
    expect(finish).toMatchObject({ kind: 'ended', outcome: { status: 'standby' } })
    expect(reasons).toContain(finish.kind === 'ended' && finish.outcome.status === 'standby' && finish.outcome.reason)
  }
  if (winner?.led === undefined) throw new Error('no racer completed the tick')
  expect(winner.finish).toMatchObject({ outcome: { fencingToken: winner.led.fencingToken } })
  return winner.led
}

/** How often the protected effect took place, for each tick. */
async function effectsOf(lease: string): Promise<Record<string, number>> {
  const Key = { lease: { S: lease }, record: { S: 'EFFECTS' } }
  const { Item } = await client.send(new GetItemCommand({ TableName: effects, Key, ConsistentRead: true }))
  return Object.fromEntries(ticks.map((tick) => [tick, Number(Item?.[tick]?.N ?? 0)]))
}
const oncePerTick = Object.fromEntries(ticks.map((tick) => [tick, 1]))

const isStrictlyIncreasing = (tokens: readonly number[]) =>
  tokens.every((token, n) => n === 0 || token > Number(tokens[n - 1]))

it('if the leader of every second tick is killed during its task, each tick is still completed once', async () => {
  const tokens: number[] = []
  for (const [n, tick] of ticks.entries()) {
    const order = { lease: 'deadly', tick, maxClockSkewMs: MAX_CLOCK_SKEW_MS }
    const killed = n % 2 === 1 ? await raceToDeath({ ...order, leaseMs: SHORT_LEASE_MS }) : []
    if (killed.length > 0) {
      await fillUp()
      await untilExpired(order.lease)
    }
    const runs = await race({ ...order, leaseMs: LONG_LEASE_MS }, (leader) => send(leader, 'goOn'))
    const winner = onlyWinner(runs, ['held', 'tickDone'])
    const last = killed.at(-1)
    expect(winner.inherited).toEqual(last && { startedBy: last.racer.pid })
    tokens.push(...killed.map(({ led }) => led.fencingToken), winner.fencingToken)
  }
  expect(tokens.length).toBeGreaterThanOrEqual(TICKS + TICKS / 2)
  expect(tokens).toSatisfy(isStrictlyIncreasing)
  expect(await effectsOf('deadly')).toEqual(oncePerTick)
  expect((await leaseRow(client, leases, 'deadly'))?.completedTick).toBe(ticks.at(-1))
}, 60_000)

/**
 * Every leader of this race is killed: one process, or also a late one that asks when the first one's lease has
 * expired. If the machine is so busy that a leader loses its short lease before it can report, the race is repeated.
 */
async function raceToDeath(order: Omit<RaceOrder, 'startAtMs'>): Promise<Killed[]> {
  for (;;) {
    const runs = await race(order, (leader) => leader.kill('SIGKILL'))
    expect(runs.map(({ finish }) => finish)).not.toContainEqual({
      kind: 'ended',
      outcome: expect.objectContaining({ status: 'completed' }),
    })
    const killed = runs.filter((run): run is Killed => run.finish.kind === 'died' && run.led !== undefined)
    if (killed.length > 0) return killed.toSorted((a, b) => a.led.fencingToken - b.led.fencingToken)
  }
}

/** Lambda's retry would wait at least as long: the dead leader's lease has expired. */
async function untilExpired(lease: string): Promise<void> {
  const row = await leaseRow(client, leases, lease)
  await sleep(Math.max(0, Number(row?.expiresAtMs) + MAX_CLOCK_SKEW_MS - Date.now()))
}
