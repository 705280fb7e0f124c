// @ts-nocheck
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { LeaseRecord } from '../../functions/election/rules.ts'
import type { AttributeMap } from '../../functions/election/stores/row.ts'
import { type LeaseView, leaseView } from '../../functions/widget/model.ts'
import { leaseRecord, MINUTE, NOW, reading, TICK, tenureRow, vacantRecord } from './rows.ts'

const view = (...given: Parameters<typeof reading>) => leaseView(reading(...given), NOW)

type Shown = { readonly [Name in keyof LeaseView]?: unknown }

const led = leaseRecord()
const vacant = vacantRecord()
const { tick: _tick, ...tickless } = led
const ticklessRow = tenureRow(41, { forTick: undefined })
const leading = { kind: 'leading', candidate: 'worker-7', remainingMs: 9_400 }
const open = { outcome: undefined, endedAtMs: undefined }
const past = NOW - MINUTE
const early = '2026-11-21T05:00:00.000Z'
const again = leaseRecord({ completedTick: early })
const earlyRow = tenureRow(41, { forTick: { S: early } })
const timeless = tenureRow(1, { beganAtMs: undefined, endedAtMs: { S: 'yesterday' } })
const failedRecord = vacantRecord({ endedBy: 'failed', errorName: 'GatewayError' })
const failed = { outcome: 'failed', failure: 'GatewayError', endedAtMs: NOW - 5_000 }
const foreignEnd = tenureRow(42, { outcome: { S: 'abdicated' } })
const completed = { outcome: 'completed' }
const expired = { outcome: 'unknown', endedAtMs: past }
const doneMs = NOW - 7 * MINUTE

test.each<[sentence: string, record: LeaseRecord | undefined, rows: readonly AttributeMap[], shown: Shown]>([
  ['A holder leads until its lease expires', led, [], { state: leading, fencingToken: 42, tick: TICK }],
  ['After its end a lease is vacant, without a tick', vacant, [], { state: { kind: 'vacant' }, tick: undefined }],
  ['A pause ends by its time', vacantRecord({ pausedUntilMs: NOW }), [], { state: { kind: 'vacant' } }],
  ['The current tenure needs no history row', led, [], { tenures: [{ candidate: 'worker-7', beganAtMs: past }] }],
  ['The lease row knows an end before the history does', failedRecord, [tenureRow(42, open)], { tenures: [failed] }],
  ['It also knows an end whose outcome the history does not know', vacant, [foreignEnd], { tenures: [completed] }],
  ['A tenure without renewals ended with its lease', leaseRecord({ expiresAtMs: past }), [], { tenures: [expired] }],
  [
    'A leader elected between the two reads leads',
    vacantRecord({ acquiredAtMs: NOW - 10 * MINUTE }),
    [tenureRow(43, open)],
    { tenures: [{ fencingToken: 42 }, { fencingToken: 43, outcome: 'leading' }] },
  ],
  ['A row without a time is counted and not drawn', undefined, [timeless], { tenures: [], unreadableRows: 1 }],
  ['The history knows the time of a completion', again, [earlyRow], { lastCompletion: { tick: early, atMs: doneMs } }],
  ['A completed tick without a history row has no time', again, [tenureRow(41)], { lastCompletion: { tick: early } }],
  ['A new completion has the time of the lease row', vacant, [], { lastCompletion: { tick: TICK, atMs: NOW - 5_000 } }],
  ['Without ticks, that of the last tenure counts', tickless, [ticklessRow], { lastCompletion: { atMs: doneMs } }],
])('%s', (_sentence, record, rows, shown) => {
  const { lastCompletion, ...rest } = view(record, rows)
  expect({ ...rest, lastCompletion }).toMatchObject(shown)
  if ('lastCompletion' in shown) expect(lastCompletion).toEqual(shown.lastCompletion)
})

test('Tenures are shown in the order in which they began, the current one last', () => {
  const [newer, older] = [5, 8].map((minutes, index) =>
    tenureRow(41 - index, { beganAtMs: { N: `${NOW - minutes * MINUTE}` } }),
  )
  const { tenures } = view(leaseRecord(), [tenureRow(42, open), newer ?? {}, older ?? {}])
  const shown = tenures.map(({ fencingToken, outcome }) => `${fencingToken} ${outcome}`)
  expect(shown).toEqual(['40 completed', '41 completed', '42 leading'])
})

test.each([
  ...['completed', 'released', 'failed', 'forced', 'takenOver'].map((outcome) => [{ S: outcome }, outcome] as const),
  ...[undefined, { S: 'abdicated' }, { N: '1' }].map((outcome) => [outcome, 'unknown'] as const),
])('The outcome %j is shown as %s', (outcome, shown) => {
  expect(view(undefined, [tenureRow(1, { outcome })]).tenures[0]?.outcome).toBe(shown)
})

test('If there are older rows, nothing is claimed about the time before the oldest row that was read', () => {
  const { history, ...rest } = reading(undefined, [tenureRow(41)])
  const more = history.ok ? { ok: true as const, value: { ...history.value, hasMore: true } } : history
  expect(leaseView({ ...rest, history: more }, NOW).knownFromMs).toBe(NOW - 8 * MINUTE)
})

test('No history row breaks the view, whatever it holds', () => {
  const attribute = fc.oneof(
    fc.record({ S: fc.oneof(fc.string(), fc.constant('completed')) }),
    fc.record({ N: fc.oneof(fc.integer().map(String), fc.string(), fc.constantFrom('1e400', '8640000000000001')) }),
    fc.constantFrom<AttributeMap[string]>({ NULL: true }, { L: [] }, { SS: ['a'] }, { BOOL: false }),
  )
  const names = ['record', 'candidate', 'forTick', 'beganAtMs', 'endedAtMs', 'outcome', 'failure', 'successor']
  fc.assert(
    fc.property(fc.array(fc.dictionary(fc.constantFrom(...names), attribute)), (rows) => {
      const { tenures } = view(leaseRecord(), rows)
      for (const { beganAtMs } of tenures) expect(() => new Date(beganAtMs).toISOString()).not.toThrow()
    }),
  )
})
