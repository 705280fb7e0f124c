/**
 * One run on this machine: the app's own template and bundles, DynamoDB Local, a gateway, and ticks one after the other.
 * What it starts it stops, in the opposite order, however it ends.
 */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Subscription } from '../../functions/billing/subscription.ts'
import { LAMBDA_LEASE_MS } from '../../functions/election/options.ts'
import { auditLedger, earliestDueAt, seedSubscriptions } from './customers.ts'
import type { Display } from './display.ts'
import { type DynamoDBLocal, startDynamoDBLocal } from './dynamodb-local.ts'
import { type LocalGateway, startGateway } from './gateway.ts'
import { type LeaderKiller, leaderKiller } from './kill-leader.ts'
import { type LambdaHost, startLambdaHost } from './lambda-host.ts'
import { readLeaseRow } from './lease-row.ts'
import type { StartOptions } from './options.ts'
import { count, timeOf } from './phrases.ts'
import { type Candidate, candidatesOf, firstTickMs } from './scheduler.ts'
import { type Counted, faultsOf, type Summary, summarize, wasCut } from './summary.ts'
import { type Assembly, readAssembly, synthesize } from './synthesize.ts'
import { createTables, deleteTables } from './tables.ts'
import { runTick, type TickRecord } from './tick.ts'

export interface Run {
  readonly options: StartOptions
  readonly subscriptions: readonly Subscription[]
  /** The command that synthesizes the stacks, run in `root`. */
  readonly app: string
  readonly root: string
  readonly display: Display
  /** Aborts when the run is to end early. */
  readonly signal: AbortSignal
}

const REGION = 'eu-central-1'
const ACCOUNT = '000000000000'

/** @throws Error that says what to install or to repair, where the run could not start. */
export async function simulate(run: Run): Promise<{ summary: Summary; faults: readonly string[] }> {
  const { options, display, signal } = run
  await using resources = new AsyncDisposableStack()
  const { dynamodb, assembly } = await prepare(run, resources)
  const { endpoint } = dynamodb
  const client = new DynamoDBClient({
    endpoint,
    region: REGION,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  })
  resources.defer(() => client.destroy())

  const host = startLambdaHost({ ...options, region: REGION, dynamodbEndpoint: endpoint })
  resources.defer(() => host.stop())
  const killer = leaderKiller(options.killLeader, () => killLeader(host, client, candidates))
  const gateway = await startGateway({ beforeReply: killer.beforeReply })
  resources.defer(() => gateway.stop())

  const names = {
    region: REGION,
    account: ACCOUNT,
    runId: randomUUID().slice(0, 8),
    parameters: { GatewayUrl: gateway.url },
  }
  const { tables, functions, schedules } = await readAssembly(assembly, names)
  const candidates = candidatesOf(schedules, functions)
  await createTables(client, tables)
  resources.defer(() => deleteTables(client, tables))
  const { subscriptionsTable, chargesTable } = billingTables(candidates)
  await seedSubscriptions(client, subscriptionsTable, run.subscriptions, signal)
  signal.throwIfAborted()

  signal.addEventListener('abort', () => void host.stop(), { once: true })
  const records = await runTicks(run, { host, client, gateway, killer, candidates })
  await host.stop()

  const last = records.at(-1)
  const cut = wasCut(last, signal)
  const audited = cut ? records.at(-2) : last
  const ledger = await auditLedger(client, { subscriptionsTable, chargesTable }, audited?.tick ?? '', run.subscriptions)
  const counted: Counted = {
    gateway: {
      charges: gateway.charges().length,
      duplicateCharges: gateway.duplicateCharges(),
      replayedRequests: gateway.replayedRequests(),
    },
    ledger,
    cut,
  }
  const summary = summarize(records, candidates.length, counted)
  const faults = faultsOf(summary, counted)
  if (options.killLeader !== undefined && !killer.killed() && !signal.aborted) {
    const why = records.length < options.killLeader ? 'the run ended before it' : 'the tick charged nothing'
    display.note(`The leader of tick ${options.killLeader} was not killed: ${why}.`)
  }
  display.ended(summary, gateway.charges(), faults, cut)
  return { summary, faults }
}

/** Starts DynamoDB Local and synthesizes the app at the same time: neither waits for the other. */
async function prepare({ options, app, root, display, signal }: Run, resources: AsyncDisposableStack) {
  display.note('Synthesizing the stacks and starting DynamoDB Local …')
  const directory = await mkdtemp(join(tmpdir(), 'tenure-'))
  resources.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }))
  const cancel = new AbortController()
  const early = AbortSignal.any([signal, cancel.signal])
  const starting = startDynamoDBLocal({ signal: early })
  resources.defer(async () => {
    cancel.abort()
    await (await starting.catch(() => undefined))?.stop()
  })
  const context = { candidates: options.candidates, leaseMs: Math.round(LAMBDA_LEASE_MS * options.timeScale) }
  const synthesizing = synthesize({ app, directory, context, signal: early }, root)
  // Its directory is removed next: not while it still writes there.
  resources.defer(async () => {
    cancel.abort()
    await synthesizing.catch(() => undefined)
  })
  const [dynamodb, assembly]: [DynamoDBLocal, Assembly] = await Promise.all([starting, synthesizing])
  return { dynamodb, assembly }
}

interface Stage {
  readonly host: LambdaHost
  readonly client: DynamoDBClient
  readonly gateway: LocalGateway
  readonly killer: LeaderKiller
  readonly candidates: readonly Candidate[]
}

async function runTicks({ options, subscriptions, display, signal }: Run, stage: Stage): Promise<TickRecord[]> {
  const { gateway, killer, candidates } = stage
  const periodMs = candidates[0]?.schedule.periodMs ?? 0
  const dueTimes = subscriptions.map(({ dueAt }) => Date.parse(dueAt))
  const firstMs = firstTickMs(Date.parse(earliestDueAt(subscriptions)), periodMs, Date.now())
  announce(display, subscriptions, candidates, firstMs, periodMs)

  const records: TickRecord[] = []
  for (let number = 1; number <= (options.ticks ?? Number.POSITIVE_INFINITY) && !signal.aborted; number += 1) {
    const tickMs = firstMs + (number - 1) * periodMs
    if (tickMs > Date.now()) {
      display.note('The next tick lies in the future, where no tick is run.')
      break
    }
    const chargesBefore = gateway.charges().length
    killer.tickStarts(number, dueTimes.filter((dueMs) => dueMs <= tickMs && dueMs > tickMs - periodMs).length)
    const record = await runTick(number, tickMs, { ...stage, onTry: display.tried })
    records.push(record)
    display.ticked(record, gateway.charges().slice(chargesBefore), wasCut(record, signal))
    if (number !== options.ticks) {
      await sleep(Math.max(0, options.everyMs - record.durationMs), undefined, { signal }).catch(() => {})
    }
  }
  return records
}

function announce(
  display: Display,
  subscriptions: readonly Subscription[],
  candidates: readonly Candidate[],
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
}

function billingTables(candidates: readonly Candidate[]) {
  const { SUBSCRIPTIONS_TABLE: subscriptionsTable, CHARGES_TABLE: chargesTable } =
    candidates[0]?.lambda.environment ?? {}
  if (subscriptionsTable === undefined || chargesTable === undefined) {
    throw new Error('The scheduled function has no SUBSCRIPTIONS_TABLE or no CHARGES_TABLE in its environment')
  }
  return { subscriptionsTable, chargesTable }
}

async function killLeader(
  host: LambdaHost,
  client: DynamoDBClient,
  candidates: readonly Candidate[],
): Promise<boolean> {
  for (const lambda of new Set(candidates.map((candidate) => candidate.lambda))) {
    const row = await readLeaseRow(client, lambda)
    if (row?.holder !== undefined && row.eventId !== undefined && (await host.kill(row.eventId))) return true
  }
  return false
}
