// @ts-nocheck
import { expect, test } from 'vitest'
import { factsOf, type LeaseImage } from '../../functions/announce/facts.ts'
import { BEGAN_MS, elected, failed, TICK, takenOver } from './sample-facts.ts'

const ENDED_MS = BEGAN_MS + 2_500
/** What the stream says about a write at ENDED_MS: whole seconds. */
const CREATED_MS = Date.parse(TICK) + 2_000

const led: LeaseImage = {
  ...{ lease: 'billing', fencingToken: 42, holder: 'ann', attempt: 'attempt-ann', step: 0, tick: TICK },
  ...{ acquiredAtMs: BEGAN_MS, expiresAtMs: BEGAN_MS + 15_000, writtenAtMs: BEGAN_MS },
}

const { holder: _holder, ...leaderless } = led
const vacant: LeaseImage = { ...leaderless, step: 1, writtenAtMs: ENDED_MS, endedBy: 'completed', completedTick: TICK }
const byBob: LeaseImage = {
  ...{ ...led, fencingToken: 43, holder: 'bob', attempt: 'attempt-bob' },
  ...{ acquiredAtMs: BEGAN_MS + 20_000, expiresAtMs: BEGAN_MS + 35_000, writtenAtMs: BEGAN_MS + 20_000 },
}
const paused: LeaseImage = { ...vacant, pausedUntilMs: CREATED_MS + 60_000, pausedBy: 'ops', pausedReason: 'migration' }
const until = (pausedUntilMs: number): LeaseImage => ({ ...paused, pausedUntilMs })
const renewed: LeaseImage = { ...led, step: 1, writtenAtMs: CREATED_MS + 900 }

const MISSED = '2026-11-21T05:00:00.000Z'

const change = (before: LeaseImage | undefined, after: LeaseImage) =>
  factsOf({ before, after, sequenceNumber: '7', createdAtMs: CREATED_MS })

test.each<[sentence: string, before: LeaseImage | undefined, after: LeaseImage, facts: readonly string[]]>([
  ['A new row with a holder elects it', undefined, led, ['elected']],
  ['A new row without a holder elects no candidate', undefined, leaderless, []],
  ['Another token and attempt in a vacant row elect', vacant, byBob, ['elected']],
  ['They also take over if the row still named a holder', led, byBob, ['elected', 'takenOver']],
  ['A token raised by hand in a vacant row elects no candidate', vacant, { ...vacant, fencingToken: 99 }, []],
  ['Nor does a token raised by hand under a leader', led, { ...led, fencingToken: 99 }, []],
  ['A renewal is no fact', led, { ...renewed, expiresAtMs: ENDED_MS + 15_000 }, []],
  ['A checkpoint is no fact', led, { ...led, step: 1, checkpoint: { tick: TICK, state: 1 } }, []],
  ['An advance closes a missed tick', led, { ...renewed, completedTick: MISSED, completedBy: 42 }, ['closed']],
  ['A tick that an operator closes under a leader is no fact', led, { ...renewed, completedTick: MISSED }, []],
  ['A renewal after it is no fact', { ...led, completedTick: MISSED }, { ...renewed, completedTick: MISSED }, []],
  ['A leader ends its tenure by completing', led, vacant, ['ended']],
  ['It ends by giving back a lease whose grant got lost', led, { ...leaderless, endedBy: 'released' }, ['ended']],
  ['Another attempt forces out a holder that stays', led, { ...led, attempt: 'none' }, ['forced']],
  ['It forces out a holder that goes', led, { ...leaderless, attempt: 'none' }, ['forced']],
  ['Removing only the holder, which no leader does, forces it out', led, leaderless, ['forced']],
  ['A row that says forced forces it out', led, { ...vacant, endedBy: 'forced' }, ['forced']],
  ['Another attempt in a vacant row forces out no leader', vacant, { ...vacant, attempt: 'none' }, []],
  ['A pause begins', vacant, paused, ['paused']],
  ['A shorter pause is a pause again', paused, until(CREATED_MS + 30_000), ['paused']],
  ['Another reason for the pause is no fact', paused, { ...paused, pausedReason: 'other' }, []],
  ['Removing a pause resumes', paused, vacant, ['resumed']],
  ['Moving its end into the past resumes', paused, until(1), ['resumed']],
  ['Removing a pause that is over is no fact', until(1), vacant, []],
  ['A pause that ends in the past is no fact', vacant, until(1), []],
  ['One write can force out and pause', led, { ...paused, attempt: 'none' }, ['forced', 'paused']],
])('%s', (_sentence, before, after, facts) => {
  expect(change(before, after).map(({ kind }) => kind)).toEqual(facts)
})

const kept: LeaseImage = {
  ...{ ...vacant, endedBy: 'released' },
  ...{ reservedFor: 'bob', reservedUntilMs: ENDED_MS + 10_000, reservedBy: 42 },
}
const keptBefore: LeaseImage = { ...kept, reservedBy: 41 }
const failedRow: LeaseImage = { ...vacant, writtenAtMs: failed.atMs, endedBy: 'failed', errorName: 'TypeError' }

test.each<[sentence: string, before: LeaseImage | undefined, after: LeaseImage, facts: readonly object[]]>([
  ['An election says who leads and until when', undefined, led, [elected]],
  ['A takeover names the earlier tenure, which ended when its lease expired', led, byBob, [{}, takenOver]],
  ['An end has the leader’s time', led, failedRow, [failed]],
  ['A leader that hands over names its successor', led, kept, [{ kind: 'ended', handedOverTo: 'bob' }]],
  ['A reservation of an earlier tenure names none', led, keptBefore, [{ kind: 'ended', handedOverTo: undefined }]],
  [
    'A tick that is given up has the reason',
    led,
    { ...renewed, completedTick: MISSED, completedBy: 42, gaveUp: 'no prices' },
    [{ kind: 'closed', candidate: 'ann', tick: TICK, closedTick: MISSED, gaveUp: 'no prices' }],
  ],
  [
    'So has the leader’s own',
    led,
    { ...vacant, completedBy: 42, gaveUp: 'no prices' },
    [{ kind: 'ended', gaveUp: 'no prices' }],
  ],
])('%s', (_sentence, before, after, facts) => {
  expect(change(before, after)).toMatchObject(facts)
})

const continued = { tick: TICK, state: undefined, continuations: 3, sinceMs: BEGAN_MS - 900_000 }
const handedOver: LeaseImage = { ...leaderless, step: 1, writtenAtMs: ENDED_MS, endedBy: 'continued' }

test.each<[string, before: LeaseImage, after: LeaseImage, expected: object]>([
  ['A hand-over says how often the work was handed over', led, { ...handedOver, checkpoint: continued }, continued],
  ['Its completion says so, too', { ...led, checkpoint: continued }, vacant, continued],
  ['But not that of another tick', { ...led, checkpoint: { ...continued, tick: MISSED } }, vacant, {}],
  ['Nor that of work that was not handed over', { ...led, checkpoint: { tick: TICK, state: undefined } }, vacant, {}],
])('%s, and when it began', (_sentence, before, after, { continuations, sinceMs }: Partial<typeof continued>) => {
  expect(change(before, after)).toEqual([expect.objectContaining({ kind: 'ended', continuations, sinceMs })])
})

test.each<[sentence: string, before: LeaseImage, after: LeaseImage, atMs: number]>([
  ['the operator’s, if the write has one', led, { ...leaderless, attempt: 'none', writtenAtMs: ENDED_MS }, ENDED_MS],
  ['else DynamoDB’s', led, { ...led, attempt: 'none' }, CREATED_MS],
  ['never before the previous write', renewed, { ...renewed, attempt: 'none' }, CREATED_MS + 900],
  ['the leader’s, even in the millisecond of its election', led, { ...vacant, writtenAtMs: BEGAN_MS }, BEGAN_MS],
])('The time of an end is %s', (_sentence, before, after, atMs) => {
  expect(change(before, after)).toMatchObject([{ candidate: 'ann', atMs }])
})

test('Long texts of an operator are cut', () => {
  const pausedReason = `${'x'.repeat(999)}\u{1F600}`
  expect(change(vacant, { ...paused, pausedReason, pausedBy: 'y'.repeat(1_000) })).toMatchObject([
    { pausedUntilMs: paused.pausedUntilMs, pausedBy: 'y'.repeat(256), pausedReason: `${'x'.repeat(999)}\uFFFD` },
  ])
})
