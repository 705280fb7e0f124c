/** One run: tables, network and workers; random faults until enough has happened; then the history. */
import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb'
import { mulberry32, pick, wholeNumber } from '../../../infra/programs/random.ts'
import { createLeaseTable, localClient } from '../../support/tables.ts'
import { Cluster } from './cluster.ts'
import type { History } from './history.ts'
import { NETWORK_FAULTS, Network } from './network.ts'

const LEASE_MS = 700
const MAX_CLOCK_SKEW_MS = 120
const WORKERS = 4
const LOOK_EVERY_MS = 100
/** A frozen worker is woken after a successor has written, or after so many leases. */
const LONGEST_SLEEP_LEASES = 4

export interface RunOptions {
  /** Without a fence the run is a control, which must lose updates. */
  readonly isFenced: boolean
  readonly seed: number
  /** The run ends when so many additions were written, */
  readonly additions: number
  /** when so many leaders that froze before a write have sent it after a successor's, */
  readonly staleWrites: number
  /** and when every fault has happened; or after this time. */
  readonly mostMs: number
  readonly endpoint: string
  readonly signal: AbortSignal
}

export interface Run {
  readonly history: History
  readonly figures: Readonly<Record<string, number>>
  /** What went wrong with the run itself: it shows too little, or a process crashed. */
  readonly problems: readonly string[]
}

export async function run(options: RunOptions): Promise<Run> {
  const client = localClient(options.endpoint)
  const [leaseTable, protectedTable] = await Promise.all([createLeaseTable(client), createLeaseTable(client)])
  const random = mulberry32(options.seed)
  const network = await Network.start({
    ...{ endpoint: options.endpoint, leaseTable, leaseMs: LEASE_MS, random },
    kill: (who) => cluster.kill(who),
    signal: (who, signal) => cluster.signal(who, signal),
  })
  const cluster = await Cluster.start({
    places: WORKERS,
    config: (_place, generation) => ({
      ...{ isFenced: options.isFenced, seed: options.seed + generation, endpoint: network.endpoint },
      ...{ leaseTable, protectedTable, leaseMs: LEASE_MS, maxClockSkewMs: MAX_CLOCK_SKEW_MS },
      // Also beyond the budget: the claims about tokens and effects do not depend on clocks.
      clockOffsetMs: wholeNumber(random, -MAX_CLOCK_SKEW_MS, MAX_CLOCK_SKEW_MS) * pick(random, [0.4, 0.4, 1]),
    }),
    onFrozen: (who) => void wakeAfterSuccessor(who),
  })
  let staleWrites = 0

  /** Wakes a worker that froze before a write, after another one has written: its write comes last, under an old token. */
  async function wakeAfterSuccessor(who: string): Promise<void> {
    const from = network.onRow.length
    const isSucceeded = () => network.onRow.slice(from).some((one) => one.who !== who && one.request.kind === 'write')
    const untilMs = performance.now() + LONGEST_SLEEP_LEASES * LEASE_MS
    while (!isSucceeded() && performance.now() < untilMs) await sleep(10)
    const isStale = isSucceeded()
    const woken = network.onRow.length
    cluster.signal(who, 'SIGCONT')
    await sleep(LEASE_MS)
    const isSent = network.onRow.slice(woken).some((one) => one.who === who && one.request.kind === 'write')
    if (isStale && isSent) staleWrites++
  }

  function missing(): readonly string[] {
    const written = network.onRow.filter(({ request, granted }) => request.kind === 'write' && granted).length
    return [
      ...(written < options.additions ? [`only ${written} of ${options.additions} additions`] : []),
      ...(staleWrites < options.staleWrites ? [`only ${staleWrites} of ${options.staleWrites} stale writes`] : []),
      ...NETWORK_FAULTS.filter((fault) => !network.faults.has(fault)).map((fault) => `no fault "${fault}"`),
    ]
  }

  try {
    const untilMs = performance.now() + options.mostMs
    const goesOn = () => cluster.crashes.length === 0 && network.problems.length === 0 && !options.signal.aborted
    while (missing().length > 0 && performance.now() < untilMs && goesOn()) await sleep(LOOK_EVERY_MS)
  } finally {
    await cluster.end()
    await network.stop()
  }
  const row = { TableName: protectedTable, Key: { lease: 'list', record: 'LIST' }, ConsistentRead: true }
  const { Item } = await DynamoDBDocumentClient.from(client).send(new GetCommand(row))
  client.destroy()
  const { onLease, onRow } = network
  const history = { onLease, onRow, reports: cluster.reports, additions: listIn(Item?.['additions']) }
  const grants = onLease.filter(({ request, granted }) => request.kind === 'acquire' && granted)
  const faults = [...network.faults.values()].reduce((sum, times) => sum + times, 0)
  return {
    history,
    figures: {
      ...{ requests: onLease.length + onRow.length, tenures: grants.length, additions: history.additions.length },
      ...{ 'network faults, kills and freezes': faults, 'writes of a replaced leader': staleWrites },
    },
    problems: [
      ...cluster.crashes,
      ...network.problems,
      ...missing().map((what) => `The run shows too little: ${what}`),
    ],
  }
}

function listIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}
