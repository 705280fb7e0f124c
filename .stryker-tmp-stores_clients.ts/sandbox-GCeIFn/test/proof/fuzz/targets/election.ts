/** What the caller passes to the election: events, options, business units. */
// @ts-nocheck

import fc from 'fast-check'
import { idempotencyKey } from '../../../../functions/election/fencing.ts'
import { InvalidOptionError, InvalidTickError, leaderOnly } from '../../../../functions/election/index.ts'
import { assertOptions, type CompleteOptions, settingsOf } from '../../../../functions/election/options.ts'
import { ManualClock } from '../../../../functions/election/testing/manual-clock.ts'
import { RulesStore } from '../../../../functions/election/testing/rules-store.ts'
import { canonicalTick, isCanonicalTick, tickOfEvent } from '../../../../functions/election/tick.ts'
import { hostileJson, hostileNumber, hostileText, hostileValue, nearlyObject, nearlyText } from '../inputs.ts'
import { assert, type Target, target } from '../target.ts'

const HOUR_MS = 3_600_000
const NOW = '2026-11-21T06:00:00.000Z'
const INVALID_TICK = [InvalidTickError, /\btick\b|periodMs/] as const
const INVALID_OPTION = [InvalidOptionError, /\b(options?|context|placeholders?|business unit)\b/] as const

const scheduled = { tick: NOW, periodMs: HOUR_MS, schedule: 'billing-1' }
const ofRule = { version: '0', source: 'aws.events', 'detail-type': 'Scheduled Event', time: '2026-11-21T06:00:00Z' }
const instant = fc.oneof(
  fc.constantFrom(NOW, '2026-11-21T06:00Z', '2026-11-21T11:45:00.123456789+05:45', '2024-02-29T00:00:00Z'),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
)
const tick = fc.oneof(nearlyText(instant), hostileText, hostileNumber)
const periodMs = fc.oneof(fc.constantFrom(1, HOUR_MS), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }))
const event: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 2, arbitrary: nearlyObject(fc.constantFrom(scheduled, ofRule), hostileJson) },
  { weight: 2, arbitrary: fc.record({ tick, periodMs }, { requiredKeys: ['tick'] }) },
  { weight: 1, arbitrary: hostileJson },
)

function assertCanonical(tick: string): void {
  assert(isCanonicalTick(tick), `${JSON.stringify(tick)} is no canonical tick`)
}

const store = new RulesStore()
const context = { awsRequestId: 'event-1', getRemainingTimeInMillis: () => 60_000.5 }
const options: fc.Arbitrary<object> = nearlyObject(
  fc.constantFrom<object>(
    { store, lease: 'billing', tick: NOW, periodMs: HOUR_MS, leaseMs: 15_000 },
    { store, lease: 'a/b:c', candidate: 'ann', heartbeat: false, killGraceMs: 0, waitMs: 5 },
    { store, lease: 'billing', maxClockSkewMs: 500, context, signal: new AbortController().signal },
  ),
  hostileValue,
).map((given) => ({ clock: new ManualClock(NOW), ...given }))

function readOptions(given: object): void {
  assertOptions(given)
  const lacking: CompleteOptions = Object.assign({ store, lease: '' }, given)
  const { lease, leaseMs, waitMs, maxClockSkewMs, tick, remainingMs, candidate } = settingsOf(lacking)
  assert(/^[\w.:/-]{1,128}$/.test(lease), `${JSON.stringify(lease)} is no name of a lease`)
  for (const ms of [leaseMs, waitMs, maxClockSkewMs]) {
    assert(Number.isSafeInteger(ms) && ms >= 0, `${ms} is no length of time`)
  }
  assert(!Number.isNaN(remainingMs()), 'the invocation has no end')
  assert(typeof candidate === 'string' && candidate !== '', 'the candidate has no name')
  if (tick !== undefined) assertCanonical(tick)
}

export const electionTargets: readonly Target[] = [
  target(
    'the tick of an event',
    event,
    (given) => {
      const { tick, periodMs } = tickOfEvent(given)
      const canonical = canonicalTick(tick, periodMs)
      assertCanonical(canonical)
      assert(canonicalTick(canonical, periodMs) === canonical, `${canonical} has another canonical form`)
    },
    INVALID_TICK,
  ),
  target('the options of a candidate', options, readOptions, INVALID_TICK, INVALID_OPTION),
  target(
    'the options of leaderOnly',
    nearlyObject(
      fc.constant({ store, lease: 'billing', leaseMs: 15_000, tickOf: () => NOW, timeoutEarlyInMillis: 5 }),
      hostileValue,
    ),
    (given) => leaderOnly(Object.assign({ store, lease: '' }, given)),
    INVALID_OPTION,
  ),
  target(
    'a business unit',
    fc.array(fc.oneof(hostileText, hostileNumber, fc.constant(Number.NaN)), { maxLength: 7 }),
    (unit) => {
      const key = idempotencyKey(unit)
      assert(/^[\x21-\x7e]{1,255}$/.test(key), `the key is ${JSON.stringify(key)}`)
    },
    INVALID_OPTION,
  ),
]
