import { describe, expect, test } from 'vitest'
import { factsOf, type LeaseImage } from '../../functions/announce/facts.ts'

const BEGAN_MS = Date.parse('2026-11-21T06:00:00.400Z')
const TICK = '2026-11-21T06:00:00.000Z'
const ENDED_MS = BEGAN_MS + 2_500
/** What a stream says of a write at ENDED_MS: whole seconds. */
const CREATED_MS = Date.parse('2026-11-21T06:00:02.000Z')

const led: LeaseImage = {
  lease: 'billing',
  fencingToken: 42,
  holder: 'ann',
  attempt: 'attempt-ann',
  acquiredAtMs: BEGAN_MS,
  expiresAtMs: BEGAN_MS + 15_000,
  writtenAtMs: BEGAN_MS,
  step: 0,
  tick: TICK,
}

function without(row: LeaseImage, ...names: readonly (keyof LeaseImage)[]): LeaseImage {
  const { lease, fencingToken, attempt, acquiredAtMs, expiresAtMs, writtenAtMs, step } = row
  const required = { lease, fencingToken, attempt, acquiredAtMs, expiresAtMs, writtenAtMs, step }
  const kept = Object.entries(row).filter(([name]) => !names.some((left) => left === name))
  return { ...required, ...Object.fromEntries(kept) }
}

const vacant = without({ ...led, step: 1, writtenAtMs: ENDED_MS, endedBy: 'completed', completedTick: TICK }, 'holder')
const byBob: LeaseImage = {
  ...without(led, 'endedBy'),
  fencingToken: 43,
  holder: 'bob',
  attempt: 'attempt-bob',
  acquiredAtMs: BEGAN_MS + 20_000,
  expiresAtMs: BEGAN_MS + 35_000,
  writtenAtMs: BEGAN_MS + 20_000,
}
const paused: LeaseImage = { ...vacant, pausedUntilMs: CREATED_MS + 60_000, pausedBy: 'ops', pausedReason: 'migration' }

const change = (before: LeaseImage | undefined, after: LeaseImage) =>
  factsOf({ before, after, sequenceNumber: '7', createdAtMs: CREATED_MS })
const kinds = (before: LeaseImage | undefined, after: LeaseImage) => change(before, after).map(({ kind }) => kind)

test.each<[sentence: string, before: LeaseImage | undefined, after: LeaseImage, facts: readonly string[]]>([
  ['A new row with a holder elects it', undefined, led, ['elected']],
  ['A new row without one elects nobody', undefined, without(led, 'holder'), []],
  ['Another token and attempt in a vacant row elect', vacant, byBob, ['elected']],
  ['where the row still names a holder, it is taken over', led, byBob, ['elected', 'takenOver']],
  ['even if the same candidate follows itself', led, { ...byBob, holder: 'ann' }, ['elected', 'takenOver']],
  ['A token that somebody raises in a vacant row elects nobody', vacant, { ...vacant, fencingToken: 99 }, []],
  ['nor does one raised under a leader', led, { ...led, fencingToken: 99 }, []],
  ['A renewal says nothing', led, { ...led, step: 1, expiresAtMs: ENDED_MS + 15_000, writtenAtMs: ENDED_MS }, []],
  ['nor does a checkpoint', led, { ...led, step: 1, checkpoint: { tick: TICK, state: 1 } }, []],
  ['nor a write that changes nothing', led, led, []],
  ['A leader ends by completing', led, vacant, ['ended']],
  ['by releasing', led, { ...vacant, endedBy: 'released' }, ['ended']],
  ['by failing', led, { ...vacant, endedBy: 'failed', errorName: 'TypeError' }, ['ended']],
  ['by giving back what it never learned of', led, { ...without(led, 'holder'), endedBy: 'released' }, ['ended']],
  ['Another attempt puts out the holder that stays', led, { ...led, attempt: 'none' }, ['forced']],
  ['the holder that goes', led, { ...without(led, 'holder'), attempt: 'none' }, ['forced']],
  ['also where the row says completed', led, { ...vacant, attempt: 'none' }, ['forced']],
  ['and where the holder alone is removed, which no leader does', led, without(led, 'holder'), ['forced']],
  ['or the row says forced', led, { ...vacant, endedBy: 'forced' }, ['forced']],
  ['Another attempt in a vacant row puts out nobody', vacant, { ...vacant, attempt: 'none' }, []],
  ['A pause may begin', vacant, paused, ['paused']],
  ['be prolonged', paused, { ...paused, pausedUntilMs: CREATED_MS + 90_000 }, ['paused']],
  ['be shortened', paused, { ...paused, pausedUntilMs: CREATED_MS + 30_000 }, ['paused']],
  ['get another reason, which is no news', paused, { ...paused, pausedReason: 'other' }, []],
  ['be ended', paused, vacant, ['resumed']],
  ['be set into the past', paused, { ...paused, pausedUntilMs: 1 }, ['resumed']],
  ['A pause that is over is not resumed by tidying up', { ...paused, pausedUntilMs: 1 }, vacant, []],
  ['A pause that begins in the past is none', vacant, { ...paused, pausedUntilMs: 1 }, []],
  [
    'A pause outlasts an acquisition made by hand',
    paused,
    { ...byBob, pausedUntilMs: CREATED_MS + 60_000 },
    ['elected'],
  ],
  ['One write may put out and pause', led, { ...paused, attempt: 'none' }, ['forced', 'paused']],
])('%s', (_sentence, before, after, facts) => {
  expect(kinds(before, after)).toEqual(facts)
})

describe('Facts say', () => {
  const tenure = { lease: 'billing', fencingToken: 42, tick: TICK, beganAtMs: BEGAN_MS }

  test('who was elected, and until when', () => {
    const elected = { kind: 'elected', ...tenure, atMs: BEGAN_MS, candidate: 'ann', expiresAtMs: BEGAN_MS + 15_000 }
    expect(change(undefined, led)).toEqual([elected])
  })

  test('whose tenure was taken over, which ended with its lease and not when somebody noticed', () => {
    const [, takenOver] = change(led, byBob)
    expect(takenOver).toMatchObject({
      fencingToken: 43,
      atMs: byBob.acquiredAtMs,
      previous: { fencingToken: 42, candidate: 'ann', tick: TICK, beganAtMs: BEGAN_MS, expiredAtMs: led.expiresAtMs },
    })
  })

  test('how a tenure ended, and when by the leader’s clock', () => {
    const ended = {
      kind: 'ended',
      ...tenure,
      atMs: ENDED_MS,
      candidate: 'ann',
      endedBy: 'failed',
      errorName: 'TypeError',
    }
    expect(change(led, { ...vacant, endedBy: 'failed', errorName: 'TypeError' })).toEqual([ended])
  })

  test('no tick where the lease has none', () => {
    for (const fact of change(without(led, 'tick'), without(byBob, 'tick')))
      expect(JSON.stringify(fact)).not.toContain('tick')
  })

  test('when a holder was forced out: by the operator’s clock where the write says it', () => {
    const after = { ...without(led, 'holder'), attempt: 'none', writtenAtMs: ENDED_MS }
    expect(change(led, after)).toMatchObject([{ candidate: 'ann', atMs: ENDED_MS }])
  })

  test('else by DynamoDB’s', () => {
    expect(change(led, { ...led, attempt: 'none' })).toMatchObject([{ atMs: CREATED_MS }])
  })

  test('but never before the write that came before it', () => {
    const renewed = { ...led, step: 1, writtenAtMs: CREATED_MS + 900 }
    expect(change(renewed, { ...renewed, attempt: 'none' })).toMatchObject([{ atMs: CREATED_MS + 900 }])
  })

  test('the time of an end in the very millisecond of the election', () => {
    const after: LeaseImage = { ...without(led, 'holder'), step: 1, endedBy: 'completed' }
    expect(change(led, after)).toMatchObject([{ kind: 'ended', atMs: BEGAN_MS }])
  })

  test('what a pause is for, of any length that a person writes', () => {
    const pausedReason = `${'x'.repeat(999)}\u{1F600}`
    expect(change(vacant, { ...paused, pausedReason, pausedBy: 'y'.repeat(1_000) })).toMatchObject([
      { pausedUntilMs: paused.pausedUntilMs, pausedBy: 'y'.repeat(256), pausedReason: `${'x'.repeat(999)}\uFFFD` },
    ])
  })
})
