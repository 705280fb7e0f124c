/** One run of one workload: tables, network, workers, faults; then the end of the history. */
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { mulberry32, type Random } from '../../../infra/programs/random.ts'
import { createLeaseTable, localClient } from '../../support/tables.ts'
import { additionOf } from './checks/accepted.ts'
import { machineMs, NETWORK, openHistory, said, type Try } from './history.ts'
import { networkFault } from './network/faults.ts'
import { Network } from './network/proxy.ts'
import type { Progress } from './progress.ts'
import { type ProcessFault, planNetwork, planProcesses } from './strikes/plan.ts'
import { type Battlefield, strike } from './strikes/strike.ts'
import { Crew, placeOf } from './workers/crew.ts'
import type { FakeClock } from './workers/faketime.ts'
import { readAdditions } from './workers/protected-row.ts'
import type { Workload, WorkloadName } from './workloads.ts'

const LEASE = 'nemesis'
const LEASE_MS = 700
const MAX_CLOCK_SKEW_MS = 120
const WORKERS = 4
const FAKE_OFFSET_MS = { within: 40, beyond: 700 } as const
/** From this share of the operations on, clocks leave the budget. */
const LEAVE_BUDGET_AFTER = 0.6
const LOOK_EVERY_MS = 50

export interface RunOptions {
  readonly workload: Workload
  readonly seed: number
  /** The run ends when so many additions were sent, and each fault that it cannot do without has struck so often. */
  readonly operations: number
  readonly stagedWrites: number
  readonly mostMs: number
  /** DynamoDB Local's. */
  readonly endpoint: string
  readonly directory: string
  readonly fakeClock: FakeClock | undefined
  readonly signal: AbortSignal
  readonly progress: (progress: Progress) => void
}

export interface RunResult {
  /** Where the history is. */
  readonly directory: string
  readonly seconds: number
  /** What went wrong with the run itself. */
  readonly troubles: readonly string[]
}

/** @throws the reason of `signal` */
export async function run(options: RunOptions): Promise<RunResult> {
  const { workload, endpoint, signal } = options
  signal.throwIfAborted()
  const directory = join(options.directory, workload.name)
  mkdirSync(directory)
  const file = openHistory(directory, 'network')
  const startedAt = performance.now()
  const scales = { lease: LEASE, leaseMs: LEASE_MS, maxClockSkewMs: MAX_CLOCK_SKEW_MS }
  file.write({ kind: 'run', workload: workload.name, seed: options.seed, ...scales })
  const client = localClient(endpoint)
  try {
    const [leaseTable, protectedTable] = await Promise.all([createLeaseTable(client), createLeaseTable(client)])
    const network = await Network.start(endpoint, file, LEASE)
    const tally = tallyOf(network)
    const crew = await Crew.start({
      common: { workload: workload.name, directory, endpoint: network.endpoint, leaseTable, protectedTable, ...scales },
      seed: seedOf(options.seed, workload.name, 'workers'),
      places: WORKERS,
      fakeClock: options.fakeClock,
      fakeOffsetMs: FAKE_OFFSET_MS.within,
      nextTick: () => tally.completedTicks,
    })
    const troubles: string[] = []
    try {
      const enough = await fight(options, { crew, network, file, ...scales, isControl: workload.isControl }, tally)
      if (!enough && crew.crashes.length === 0) troubles.push(tooSlow(options, tally))
    } finally {
      await crew.end(signal)
      if (!signal.aborted) await network.drained() // delayed copies land before the row is read
      await network.stop()
    }
    signal.throwIfAborted()
    const additions = await readAdditions(DynamoDBDocumentClient.from(client), protectedTable)
    file.write({ kind: 'end', atMs: machineMs(), additions })
    const seconds = (performance.now() - startedAt) / 1_000
    return { directory, seconds, troubles: [...troubles, ...crew.crashes, ...network.troubles] }
  } finally {
    client.destroy()
    file.close()
  }
}

/** What has happened so far, as far as it matters for what comes next. */
interface Tally {
  readonly sent: Set<string>
  completedTicks: number
  faults: number
  /** How often each fault of a process or a clock struck. */
  readonly struck: Map<ProcessFault['name'], number>
  /** The places whose workers were granted the lease. */
  readonly led: Set<string>
}

function tallyOf(network: Network): Tally {
  const tally: Tally = { sent: new Set(), completedTicks: 0, faults: 0, struck: new Map(), led: new Set() }
  const ticks = new Set<string>()
  network.listen((tried: Try) => {
    const addition = additionOf(tried)
    if (addition !== undefined) tally.sent.add(addition.op)
    const isAccepted = said(tried)?.outcome === 'ok'
    if (addition?.tick !== undefined && isAccepted) ticks.add(addition.tick)
    tally.completedTicks = ticks.size
    if (tried.label.as === 'acquire' && isAccepted && tried.who !== NETWORK) tally.led.add(placeOf(tried.who))
  })
  return tally
}

/** Whether everything that the run is to show came to pass in time. */
async function fight(options: RunOptions, field: Omit<Battlefield, 'random'>, tally: Tally): Promise<boolean> {
  const { operations, mostMs, seed, workload, signal, progress } = options
  const over = new AbortController()
  const random = (purpose: string) => mulberry32(seedOf(seed, workload.name, purpose))
  const mayLeaveBudget = () => workload.clocksLeaveBudget && tally.sent.size >= operations * LEAVE_BUDGET_AFTER
  const striking = Promise.all([
    strikeNetwork(options, field, random('network'), tally, over.signal),
    strikeProcesses(
      options,
      { ...field, random: random('whom') },
      random('processes'),
      mayLeaveBudget,
      tally,
      over.signal,
    ),
  ])
  let hasFailed = false
  striking.catch(() => {
    hasFailed = true // told below
  })
  const isEnough = () => tally.sent.size >= operations && missing(options, tally).length === 0
  const goesOn = () => !hasFailed && field.crew.crashes.length === 0 && !signal.aborted
  const giveUpAt = performance.now() + mostMs
  while (!isEnough() && performance.now() < giveUpAt && goesOn()) {
    await sleep(LOOK_EVERY_MS)
    progress({ operations: tally.sent.size, faults: tally.faults })
  }
  over.abort()
  await Promise.race([striking, aborted(signal)])
  return isEnough()
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

async function strikeNetwork(
  { workload }: RunOptions,
  { network }: Omit<Battlefield, 'random'>,
  random: Random,
  tally: Tally,
  over: AbortSignal,
): Promise<void> {
  for (const { name, target, tries, delayMs, pauseMs } of planNetwork(random, workload.name)) {
    const fault = networkFault(name, delayMs)
    const met = await network.meet({ name, tries, fault, matches: ({ label }) => label.as === target }, 2_000)
    if (met !== undefined) tally.faults++
    await sleep(pauseMs)
    if (over.aborted) return
  }
}

async function strikeProcesses(
  { workload }: RunOptions,
  field: Battlefield,
  random: Random,
  mayLeaveBudget: () => boolean,
  tally: Tally,
  over: AbortSignal,
): Promise<void> {
  let haveLeft = false
  for (const { pauseMs, ...fault } of planProcesses(random, workload.name, MAX_CLOCK_SKEW_MS, () => haveLeft)) {
    if (!haveLeft && mayLeaveBudget()) {
      haveLeft = true
      field.file.write({ kind: 'clocksLeft', atMs: machineMs() })
      await field.crew.replaceFakeClock(FAKE_OFFSET_MS.beyond)
    }
    if (await strike(fault, field)) {
      tally.faults++
      tally.struck.set(fault.name, (tally.struck.get(fault.name) ?? 0) + 1)
    }
    await sleep(pauseMs)
    if (over.aborted) return
  }
}

/** Without what a run shows too little, and what has not happened often enough yet. */
function missing({ stagedWrites, workload }: RunOptions, { struck, led }: Tally): readonly string[] {
  const staged = ['write between read and write', 'write after successor'] as const
  const needed: readonly ProcessFault['name'][] = [
    ...staged,
    ...(workload.clocksLeaveBudget ? (['clock beyond the budget'] as const) : []),
    ...(workload.writesTwice ? (['own write copied behind the next'] as const) : []),
  ]
  return [
    ...needed.filter((name) => (struck.get(name) ?? 0) < stagedWrites).map((name) => `too rarely "${name}"`),
    ...(led.size < WORKERS ? [`leaders in only ${led.size} of ${WORKERS} places`] : []),
  ]
}

function tooSlow(options: RunOptions, tally: Tally): string {
  const { operations, mostMs } = options
  const seen = [`${tally.sent.size} of ${operations} operations`, ...missing(options, tally)].join(', ')
  return `Within ${mostMs / 1_000} s it saw ${seen}: the run shows too little.`
}

/** Each purpose has chance of its own, so that what one draws does not change another's. */
function seedOf(seed: number, workload: WorkloadName, purpose: string): number {
  return [...`${workload}/${purpose}`].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), seed)
}
