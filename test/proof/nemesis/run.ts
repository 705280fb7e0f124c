/** One run: tables, network and workers; random faults until enough has happened; then the history. */
import { setTimeout as sleep } from 'node:timers/promises'
import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { mulberry32, pick, wholeNumber } from '../../../infra/programs/random.ts'
import { createLeaseTable, localClient } from '../../support/tables.ts'
import { Cluster } from './cluster.ts'
import { additionsIn, type History, MAX_CLOCK_SKEW_MS, PROTECTED_KEY } from './history.ts'
import { NETWORK_FAULTS, Network } from './network.ts'

const WORKERS = 4
const LOOK_EVERY_MS = 100

interface RunOptions {
  /** Without a fence the run is a control, which must lose updates. */
  readonly isFenced: boolean
  readonly seed: number
  /** The run ends after so many additions, */
  readonly additions: number
  /** so many writes by a leader that froze before it sent them and was replaced, */
  readonly staleWrites: number
  /** and every fault; at the latest after this time. */
  readonly mostMs: number
  readonly endpoint: string
  readonly signal: AbortSignal
}

interface Run {
  readonly history: History
  readonly figures: Readonly<Record<string, number>>
  /** What went wrong with the run itself: it shows too little, or a process crashed. */
  readonly problems: readonly string[]
}

export async function run(options: RunOptions): Promise<Run> {
  const { isFenced, seed, mostMs, signal } = options
  const client = localClient(options.endpoint)
  const [leaseTable, protectedTable] = await Promise.all([createLeaseTable(client), createLeaseTable(client)])
  const random = mulberry32(seed)
  const network = await Network.start({
    ...{ endpoint: options.endpoint, leaseTable, random },
    kill: (who) => cluster.kill(who),
    signal: (who, name) => cluster.signal(who, name),
  })
  const cluster = new Cluster((number) => ({
    ...{ isFenced, seed: seed + number, endpoint: network.endpoint, leaseTable, protectedTable },
    // Also beyond the budget: the claims about tokens and effects do not depend on clocks.
    clockOffsetMs: wholeNumber(random, -MAX_CLOCK_SKEW_MS, MAX_CLOCK_SKEW_MS) * pick(random, [0.4, 0.4, 1]),
  }))
  const missing = () => missingIn(network, options)
  try {
    await cluster.start(WORKERS)
    const untilMs = performance.now() + mostMs
    const goesOn = () => cluster.crashes.length === 0 && network.problems.length === 0 && !signal.aborted
    while (missing().length > 0 && performance.now() < untilMs && goesOn()) await sleep(LOOK_EVERY_MS)
  } finally {
    await cluster.end()
    await network.stop()
  }
  const row = { TableName: protectedTable, Key: marshall(PROTECTED_KEY), ConsistentRead: true }
  const { Item } = await client.send(new GetItemCommand(row))
  client.destroy()
  const { onLease, onRow } = network
  const tenures = onLease.filter(({ request, granted }) => request.kind === 'acquire' && granted).length
  const faults = [...network.faults.values()].reduce((sum, times) => sum + times, 0)
  const requests = onLease.length + onRow.length
  return {
    history: { onLease, onRow, additions: additionsIn(Item) },
    figures: {
      requests,
      tenures,
      'faults, kills and freezes': faults,
      'writes of a replaced leader': network.staleWrites,
    },
    problems: [...cluster.crashes, ...network.problems, ...missing().map((what) => `The run has too few: ${what}`)],
  }
}

/** Of what the run is to show. */
function missingIn({ onRow, faults, staleWrites }: Network, options: RunOptions): readonly string[] {
  const written = onRow.filter(({ request, granted }) => request.kind === 'write' && granted).length
  return [
    ...(written < options.additions ? ['additions'] : []),
    ...(staleWrites < options.staleWrites ? ['stale writes'] : []),
    ...NETWORK_FAULTS.filter((fault) => !faults.has(fault)).map((fault) => `faults "${fault}"`),
  ]
}
