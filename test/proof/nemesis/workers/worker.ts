/**
 * One worker, a process of its own: it asks for the lease again and again and, when it leads, adds one item to the protected
 * row. It runs the shipped library with the real SDK, and notes in its own file what it believes and what it was told.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import {
  type Clock,
  DynamoDBLeaseStore,
  type LeaseStore,
  LeaseStoreError,
  type StandbyReason,
  systemClock,
  withLease,
} from '../../../../functions/election/index.ts'
import { mulberry32 } from '../../../../infra/programs/random.ts'
import { additionOf } from '../checks/accepted.ts'
import { type Label, machineMs, openHistory } from '../history.ts'
import { WORKLOADS, type Workload } from '../workloads.ts'
import { acknowledge, type Leading, lead } from './leading.ts'
import { CONFIG_VARIABLE, type Order, type Said, type WorkerConfig } from './messages.ts'
import { labelledAs, labelledStore, noteRequests } from './wire-notes.ts'

const FIRST_TICK_MS = Date.parse('2020-01-01T00:00:00.000Z')
const PERIOD_MS = 60_000
/** Why a candidate stands by where the tick is done, by this worker or another. */
const DONE: ReadonlySet<string> = new Set<StandbyReason>(['tickDone', 'superseded'])

const BUGS: ReadonlySet<string> = new Set([
  'TypeError',
  'ReferenceError',
  'RangeError',
  'InvalidOptionError',
  'InvalidTickError',
  'ValidationException',
  'ResourceNotFoundException',
])

const config: WorkerConfig = JSON.parse(process.env[CONFIG_VARIABLE] ?? '')
const { who, leaseMs, maxClockSkewMs, protectedTable: table } = config
const workload: Workload = WORKLOADS[config.workload]
const file = openHistory(config.directory, who)
const random = mulberry32(config.seed)
const labelled = labelledAs(who)
let clockOffsetMs = config.clockOffsetMs
let isToStop = false
let isToEnd = false
/** That of the latest acquire: withLease runs the task under the one that won. */
let attempt = ''

const clock: Clock = { ...systemClock, wallMs: () => Date.now() + clockOffsetMs }
const client = new DynamoDBClient({
  endpoint: config.endpoint,
  region: 'eu-central-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 250, requestTimeout: 250, throwOnRequestTimeout: true },
})
noteRequests(client, stopBeforeWrite)
const documents = DynamoDBDocumentClient.from(client)
const store = noteAttempts(
  labelledStore(new DynamoDBLeaseStore({ tableName: config.leaseTable, client, clock }), labelled),
)

function noteAttempts(inner: LeaseStore): LeaseStore {
  return {
    ...inner,
    acquire: (request) => {
      attempt = request.attempt
      return inner.acquire(request)
    },
  }
}

function say(message: Said): void {
  process.send?.(message)
}

/**
 * SIGSTOP where it was ordered: nothing runs behind that line until somebody sends SIGCONT. Never before a further try: the
 * first may have been accepted, and then this one would be no late write at all.
 */
function stopBeforeWrite(label: Label): void {
  const addition = additionOf({ label })
  if (!isToStop || addition === undefined) return
  isToStop = false
  say({ kind: 'stopping', fencingToken: addition.fencingToken })
  process.kill(process.pid, 'SIGSTOP')
}

/** Returns whether the next tick is due. */
async function ask(op: string, tickNumber: number): Promise<boolean> {
  const ofTick = workload.ticks ? { tick: new Date(FIRST_TICK_MS + tickNumber * PERIOD_MS).toISOString() } : {}
  const waitMs = config.waits ? 2 * leaseMs : 0
  const options = { store, lease: config.lease, candidate: who, leaseMs, maxClockSkewMs, waitMs, clock, ...ofTick }
  let led: (Leading & { readonly fencingToken: number }) | undefined
  const ended = (how: string) => {
    if (led === undefined) return
    const { fencingToken } = led
    file.write({ kind: 'ended', who, attempt: led.attempt, fencingToken, how, atMs: machineMs() })
  }
  try {
    const outcome = await withLease(options, async (lease) => {
      const { fencingToken } = lease
      led = { who, attempt, op, workload, file, random, client: documents, table, leaseMs, labelled, fencingToken }
      await lead(lease, led)
    })
    if (outcome.status === 'completed' && workload.ticks && led !== undefined) {
      acknowledge(led, outcome.fencingToken, ofTick.tick)
    }
    ended(outcome.status)
    return outcome.status === 'completed' || (outcome.status === 'standby' && DONE.has(outcome.reason))
  } catch (error) {
    if (isBug(error)) throw error
    ended(error instanceof Error ? error.name : 'Error')
    return false
  }
}

/** What no fault of the nemesis can bring about. It ends this process, and with it the run: nothing must go wrong unseen. */
function isBug(error: unknown): boolean {
  const isRefused = error instanceof LeaseStoreError && !error.retryable && error.applied === 'no'
  return !(error instanceof Error) || BUGS.has(error.name) || isRefused
}

/** Also asks for a tick long done, as a delayed event would: it must never be led again. */
async function run(): Promise<void> {
  let tick = config.firstTick
  for (let n = 1; !isToEnd; n++) {
    if (workload.ticks && tick > 2 && random() < 0.04) await ask(`${who}-${n}-late`, tick - 2)
    const isDone = await ask(`${who}-${n}`, tick)
    if (isDone) tick++
    if (!isDone || !workload.ticks) await sleep(10 + random() * 50)
  }
}

process.on('disconnect', () => process.exit())
process.on('message', (order: Order) => {
  switch (order.kind) {
    case 'stopBeforeWrite':
    case 'doNotStop':
      isToStop = order.kind === 'stopBeforeWrite'
      return
    case 'setClock':
      clockOffsetMs = order.offsetMs
      return
    case 'end':
      isToEnd = true
  }
})
say({ kind: 'ready' })
await run()
file.close()
process.exit(0)
