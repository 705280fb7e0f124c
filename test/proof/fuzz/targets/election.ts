/** What the coordinator is given from outside: events, options, business units. */
import middy from '@middy/core'
import fc from 'fast-check'
import { idempotencyKey } from '../../../../functions/election/fencing.ts'
import {
  DynamoDBLeaseStore,
  InvalidOptionError,
  InvalidTickError,
  type LeaderContext,
  leaderOnly,
  MemoryLeaseStore,
} from '../../../../functions/election/index.ts'
import { assertOptions, type CompleteOptions, settingsOf } from '../../../../functions/election/options.ts'
import { ManualClock } from '../../../../functions/election/testing/manual-clock.ts'
import { canonicalTick, isCanonicalTick, tickOfEvent } from '../../../../functions/election/tick.ts'
import { hostileJson, hostileNumber, hostileText, hostileValue } from '../hostile.ts'
import { nearlyObject, nearlyText } from '../nearly-valid.ts'
import { Broken, type Target, target } from '../target.ts'

const HOUR_MS = 3_600_000
const NOW = '2026-11-21T06:00:00.000Z'
const INVALID_TICK = { type: InvalidTickError, says: /\btick\b|periodMs/ }
const INVALID_OPTION = { type: InvalidOptionError, says: /\b(options?|context|placeholders?|business unit)\b/ }

const scheduled = { tick: NOW, periodMs: HOUR_MS, schedule: 'billing-1' }
const ofRule = { version: '0', source: 'aws.events', 'detail-type': 'Scheduled Event', time: '2026-11-21T06:00:00Z' }

const event: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: nearlyObject(fc.constantFrom(scheduled, ofRule), hostileJson) },
  { weight: 1, arbitrary: hostileJson },
)

const instant = fc.oneof(
  fc.constantFrom(NOW, '2026-11-21T06:00Z', '2026-11-21T11:45:00.123456789+05:45', '2024-02-29T00:00:00Z'),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
)

const tickInput = fc.record(
  {
    input: fc.oneof(
      nearlyText(instant),
      hostileText,
      hostileNumber,
      fc.constantFrom(Number.NaN, Date.parse(NOW)),
      fc.date({ noInvalidDate: false }),
    ),
    periodMs: fc.oneof(fc.constantFrom(1, HOUR_MS), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
  },
  { requiredKeys: ['input'] },
)

function assertCanonical(tick: string): void {
  if (!isCanonicalTick(tick)) throw new Broken(`${JSON.stringify(tick)} is no canonical tick`)
}

const options: fc.Arbitrary<object> = nearlyObject(
  fc.constantFrom(
    { store: new MemoryLeaseStore(), lease: 'billing', tick: NOW, periodMs: HOUR_MS, leaseMs: 15_000 },
    { store: new MemoryLeaseStore(), lease: 'a/b:c', candidate: 'ann', heartbeat: false, killGraceMs: 0, waitMs: 5 },
    {
      store: new MemoryLeaseStore(),
      lease: 'billing',
      maxClockSkewMs: 500,
      context: { awsRequestId: 'event-1', getRemainingTimeInMillis: () => 60_000.5 },
      signal: new AbortController().signal,
    },
  ),
  hostileValue,
).map((given) => ({ clock: new ManualClock(NOW), ...given }))

/** Options as JavaScript gives them: whether they are options at all is for the reader to find out. */
function readOptions(given: object): void {
  assertOptions(given)
  const lacking: CompleteOptions = Object.assign({ store: new MemoryLeaseStore(), lease: '' }, given)
  const { lease, leaseMs, waitMs, maxClockSkewMs, tick, remainingMs, candidate } = settingsOf(lacking)
  if (!/^[\w.:/-]{1,128}$/.test(lease)) throw new Broken(`${JSON.stringify(lease)} is no name of a lease`)
  for (const ms of [leaseMs, waitMs, maxClockSkewMs]) {
    if (!Number.isSafeInteger(ms) || ms < 0) throw new Broken(`${ms} is no length of time`)
  }
  if (Number.isNaN(remainingMs())) throw new Broken('the invocation has no end')
  if (typeof candidate !== 'string' || candidate === '') throw new Broken('the candidate has no name')
  if (tick !== undefined) assertCanonical(tick)
}

/** The middleware in a handler, as the deployed function has it, and one event in an invocation of its own. */
async function invoke(given: unknown): Promise<void> {
  const lease = { store: new MemoryLeaseStore(), lease: 'billing', heartbeat: false, clock: new ManualClock(NOW) }
  const handler = middy((_event: unknown, { lease: { tick } }: LeaderContext) => assertCanonical(String(tick)))
  // As Lambda calls it, which knows nothing of the lease that the middleware puts on the context.
  const invocation = { awsRequestId: 'event-1', functionName: 'billing', getRemainingTimeInMillis: () => 60_000 }
  const outcome: unknown = await Reflect.apply(handler.use(leaderOnly(lease)), undefined, [given, invocation])
  if (!JSON.stringify(outcome).includes('"completed"')) throw new Broken('the only candidate did not lead')
}

export const electionTargets: readonly Target[] = [
  target({
    name: 'the tick of an event',
    inputs: event,
    read: (given) => {
      const { tick, periodMs } = tickOfEvent(given)
      assertCanonical(canonicalTick(tick, periodMs))
    },
    refusals: [INVALID_TICK],
  }),
  target({
    name: 'a tick',
    inputs: tickInput,
    read: ({ input, periodMs }) => {
      const tick = canonicalTick(input, periodMs)
      assertCanonical(tick)
      if (canonicalTick(tick, periodMs) !== tick) throw new Broken(`${tick} has another canonical form`)
    },
    refusals: [INVALID_TICK],
  }),
  target({
    name: 'an event, through leaderOnly',
    inputs: event,
    read: invoke,
    refusals: [INVALID_TICK, INVALID_OPTION],
  }),
  target({
    name: 'the options of a candidate',
    inputs: options,
    read: readOptions,
    refusals: [INVALID_TICK, INVALID_OPTION],
  }),
  target({
    name: 'the options of leaderOnly',
    inputs: nearlyObject(
      fc.constant({
        store: new MemoryLeaseStore(),
        lease: 'billing',
        leaseMs: 15_000,
        tickOf: () => NOW,
        timeoutEarlyInMillis: 5,
      }),
      hostileValue,
    ),
    read: (given) => leaderOnly(Object.assign({ store: new MemoryLeaseStore(), lease: '' }, given)),
    refusals: [INVALID_OPTION],
  }),
  target({
    name: 'the name of the lease table',
    inputs: fc.oneof(fc.constantFrom('leases', undefined, ''), hostileText),
    read: (tableName) => new DynamoDBLeaseStore({ tableName }),
    refusals: [{ type: InvalidOptionError, says: /tableName/ }],
  }),
  target({
    name: 'a business unit',
    inputs: fc.array(fc.oneof(hostileText, hostileNumber, fc.constant(Number.NaN)), { maxLength: 7 }),
    read: (unit) => {
      const key = idempotencyKey(unit)
      if (!/^[\x21-\x7e]{1,255}$/.test(key)) throw new Broken(`the key is ${JSON.stringify(key)}`)
    },
    refusals: [INVALID_OPTION],
  }),
]
