/**
 * One run on this machine: the app's own template and bundles, DynamoDB Local, and ticks one after the other. What it
 * starts it stops, in the opposite order, however it ends.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Subscription } from '../../functions/billing/subscription.ts'
import { LAMBDA_LEASE_MS } from '../../functions/election/options.ts'
import { areSettled, readBooks } from './books.ts'
import { type Booked, earliestDueAt, readGateway, seedSubscriptions } from './customers.ts'
import type { Display } from './display/display.ts'
import { count, timeOf } from './display/phrases.ts'
import { watchProgress } from './display/progress.ts'
import type { DynamoDBLocal } from './dynamodb-local.ts'
import { HOW_SWITCHED_OFF, withoutLease } from './faults/controls.ts'
import { createScenario, type Scenario } from './faults/scenario.ts'
import { forecast } from './forecast.ts'
import { type LambdaHost, startLambdaHost } from './host/lambda-host.ts'
import type { StartOptions } from './options.ts'
import { type Places, placesOf } from './places.ts'
import { prepare } from './prepare.ts'
import { type Candidate, candidatesOf, firstTickMs } from './scheduler.ts'
import { readAssembly } from './stack/synthesize.ts'
import { createTables, deleteTables } from './stack/tables.ts'
import { type Summary, summarize, wasCut } from './summary.ts'
import { runTick, type TickRecord } from './tick.ts'
import { type Verdict, verdictOn } from './verdict.ts'

export interface Run {
  readonly options: StartOptions
  readonly subscriptions: readonly Subscription[]
  /** The command that synthesizes the stacks, run in `root`. */
  readonly app: string
  readonly root: string
  readonly display: Display
  /** A DynamoDB Local that runs already, and stays. @default one of its own */
  readonly dynamodb?: DynamoDBLocal | undefined
  /** Aborts when the run is to end early. */
  readonly signal: AbortSignal
}

const REGION = 'eu-central-1'
const ACCOUNT = '000000000000'
/** How far another candidate's clock may be off (`maxClockSkewMs`), and time for a renewal that was under way. */
const PAST_LEASE_MS = 1_000 + 500
/** After the chaos, until nothing is left to do. */
const MOST_CALM_TICKS = 5

/** @throws Error that says what to install or to repair, where the run could not start. */
export async function simulate(run: Run): Promise<{ readonly summary: Summary; readonly verdict: Verdict }> {
  const { options, display, signal, subscriptions } = run
  await using resources = new AsyncDisposableStack()
  display.note('Synthesizing the stacks and starting DynamoDB Local …')
  const context = { candidates: options.candidates, leaseMs: Math.round(LAMBDA_LEASE_MS * options.timeScale) }
  const { dynamodb, assembly } = await prepare({ ...run, context }, resources)
  const client = new DynamoDBClient({
    endpoint: dynamodb.endpoint,
    region: REGION,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  })
  resources.defer(() => client.destroy())

  const names = { region: REGION, account: ACCOUNT, runId: randomUUID().slice(0, 8), parameters: {} }
  const { tables, functions, schedules } = await readAssembly(assembly, names)
  const declared = candidatesOf(schedules, functions)
  const candidates = options.without.includes('lease') ? withoutLease(declared) : declared
  const places = placesOf(candidates, functions)
  await createTables(client, tables)
  resources.defer(() => deleteTables(client, tables))
  await seedSubscriptions(client, places.subscriptionsTable, subscriptions, signal)
  signal.throwIfAborted()

  const scenario = createScenario(options, places, {
    processes: {
      kill: (requestId) => host.kill(requestId),
      freeze: (requestId) => host.freeze(requestId),
      thaw: (requestId) => host.thaw(requestId),
    },
    onStrike: display.struck,
    pastLeaseMs: places.leaseMs + PAST_LEASE_MS,
    signal,
  })
  const { intercept } = scenario
  const reach = { region: REGION, dynamodbEndpoint: dynamodb.endpoint, functions, intercept }
  const host: LambdaHost = await startLambdaHost({ ...options, ...reach })
  resources.defer(() => host.stop())
  signal.addEventListener('abort', () => void host.stop(), { once: true })
  const records = await runTicks(run, { host, client, places, scenario, candidates })
  await host.stop()

  const last = records.at(-1)
  const cut = wasCut(last, signal)
  const audited = cut ? records.at(-2) : last
  const ticks = { lastTick: audited?.tick ?? '', latestTick: last?.tick ?? '' }
  const books = await readBooks(client, places, ticks, subscriptions)
  const replayedRequests = scenario.gateway.replayedRequests()
  const summary = summarize(records, candidates.length, { ...books, replayedRequests })
  const struck = scenario.struck()
  const verdict = verdictOn(summary, struck, options, { cut, isInterrupted: signal.aborted })
  display.ended({ summary, charges: books.charges, struck, ...verdict, cut })
  return { summary, verdict }
}

interface Stage {
  readonly host: LambdaHost
  readonly client: DynamoDBClient
  readonly places: Places
  readonly scenario: Scenario
  readonly candidates: readonly Candidate[]
}

async function runTicks(run: Run, stage: Stage): Promise<readonly TickRecord[]> {
  const { options, subscriptions, display, signal } = run
  const { client, places, scenario, candidates } = stage
  const periodMs = candidates[0]?.schedule.periodMs ?? 0
  const firstMs = firstTickMs(Date.parse(earliestDueAt(subscriptions)), periodMs, Date.now())
  announce(run, stage, firstMs, periodMs)

  const records: TickRecord[] = []
  const known = new Set<string>()
  const newlyDue = forecast(subscriptions)
  let owed = 0

  /** The charges that the gateway has, and did not have when this was asked before. */
  async function chargedSince(): Promise<readonly Booked[]> {
    const { charges } = await readGateway(client, places.sandboxTable)
    const fresh = charges.filter(({ id }) => !known.has(id))
    for (const { id } of fresh) known.add(id)
    return fresh
  }

  /** Runs one tick more, and tells whether there can be another. */
  async function goesOn(): Promise<boolean> {
    const pauseMs = options.everyMs - (records.at(-1)?.durationMs ?? options.everyMs)
    await sleep(Math.max(0, pauseMs), undefined, { signal }).catch(() => {})
    if (signal.aborted) return false
    const number = records.length + 1
    const tickMs = firstMs + records.length * periodMs
    if (tickMs > Date.now()) {
      display.note('The next tick lies in the future, where no tick is run.')
      return false
    }
    owed += newlyDue.newlyDueAt(tickMs)
    const { answered } = scenario.gateway
    const late = scenario.tickStarts(number, owed)
    using _progress = watchProgress(
      () => answered() >= owed,
      () => display.progress(answered(), owed),
    )
    const record = await runTick(number, tickMs, { ...stage, late, onTry: display.tried })
    records.push(record)
    owed = Math.max(0, owed - answered())
    display.ticked(record, await chargedSince(), wasCut(record, signal))
    return !signal.aborted
  }

  async function isSettled(): Promise<boolean> {
    const tick = records.at(-1)?.tick ?? ''
    return areSettled(await readBooks(client, places, { lastTick: tick, latestTick: tick }, subscriptions))
  }

  const { ticks = Number.POSITIVE_INFINITY, chaos } = options
  let ended = false
  while (!ended && records.length < ticks) ended = !(await goesOn())
  if (chaos === undefined || ended) return records
  display.note('Calm again: ticks without faults, until nothing is left to do.')
  for (let calm = 1; calm <= MOST_CALM_TICKS && (await goesOn()); calm += 1) if (await isSettled()) break
  return records
}

function announce(
  { options, subscriptions, display }: Run,
  { candidates, scenario }: Stage,
  firstMs: number,
  periodMs: number,
): void {
  const first = new Date(firstMs).toISOString()
  const names = candidates.map(({ schedule }) => schedule.name)
  display.note(
    `${count(subscriptions.length, 'subscription')}; a tick every ${periodMs / 60_000} min from ${timeOf(first)}`,
  )
  display.note(`Candidates: ${names.join(', ')}`)
  if (earliestDueAt(subscriptions) > new Date().toISOString()) {
    display.note('Nothing is due yet: the first tick is the last full period before now.')
  }
  const { without, chaos, ticks = 0 } = options
  if (without.length > 0) {
    display.warn(
      `Switched off: ${without.map((control) => HOW_SWITCHED_OFF[control]).join('; ')}. The deployed code knows nothing of it.`,
    )
  }
  if (chaos !== undefined) {
    display.warn(`Chaos of seed ${chaos}: ${count(scenario.planned, 'fault')} planned in ${count(ticks, 'tick')}.`)
  }
}
