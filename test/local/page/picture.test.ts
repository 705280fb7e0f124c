import { describe, expect, test } from 'vitest'
import type { Entry } from '../../../infra/local/observe/entries.ts'
import type { History } from '../../../infra/local/page/client/history.ts'
import { currentTenures, describeOutcome, pictureOf, tickTime } from '../../../infra/local/page/client/picture.ts'
import { began, candidate, done, effect, ended, failed, fault, historyOf, OVER, SETUP, T0, TICK } from './election.ts'

/** The picture of a window around the beginning, at that time after it. */
function drawn(history: History, afterMs: number, window: { fromMs?: number; toMs?: number } = {}) {
  const nowMs = T0 + afterMs
  const { lanes } = pictureOf(history, { fromMs: T0 - 1_000, toMs: T0 + 3_600_000, nowMs, width: 800, ...window })
  const lane = (name: string) => {
    const found = lanes.find((one) => one.name === name || one.name.startsWith(`${name},`))
    const { bars = [], marks = [] } = found ?? {}
    return { name: found?.name, bars, marks: marks.map(({ atMs, kind, title }) => [atMs - T0, kind, title] as const) }
  }
  return { lane, names: lanes.map(({ name }) => name) }
}

describe('the lanes', () => {
  test('are one for each candidate, also a removed one, one for the lease, one for effects', () => {
    const removed = [candidate(4), fault('removed', 500, { candidate: 4 }), candidate(4, { isPresent: false })]
    const { names, lane } = drawn(historyOf(...SETUP, ...removed), 1_000)
    expect(names).toEqual(['candidate 1', 'candidate 2', 'candidate 3', 'candidate 4', 'lease', 'effects'])
    expect(lane('candidate 4').marks).toEqual([[500, 'broken', 'Candidate 4: removed\n12:00:00.500 UTC']])
  })

  test.each<[readonly Entry[], number, string]>([
    [[began(1, 0)], 2_900, 'lease, 12.1 s'],
    [[began(1, 0)], 15_000, 'lease, expired'],
    [[began(1, 0), { kind: 'renewed', atMs: T0, tenure: 1, expiresAtMs: T0 + 20_000 }], 15_000, 'lease, 5.0 s'],
    [[began(1, 0), ended(1, 100)], 200, 'lease'],
    [[began(1, 0), began(2, 1)], 200, 'leases'],
    [[began(1, 0), OVER], 200, 'lease'],
  ])('count down to the expiry of the lease: %#', (entries, afterMs, name) => {
    expect(drawn(historyOf(...SETUP, ...entries), afterMs).names.at(-2)).toBe(name)
  })
})

describe('a bar', () => {
  const DIED = [began(1, 0), failed(1, 300)]
  const successor = began(2, 16_000, { replaced: 1 })
  const REPLACED = '0-16000 takenOver, 16000-now leading'

  test.each<[string, readonly Entry[], string, string]>([
    ['of a leader lasts until now', [began(1, 10)], '10-now leading', '10-now leading'],
    ['lasts until the end', [began(1, 10), ended(1, 400), done(1, 450)], '10-400 completed', '10-400 completed'],
    ['of a leader that died ends, while the lease lasts', DIED, '0-300 failed', '0-now failed'],
    ['of the lease of a dead leader ends with the next tenure', [...DIED, successor], '0-300 failed', REPLACED],
    [
      'of a frozen leader is taken over, though it fails after the thaw',
      [began(1, 0), successor, failed(1, 20_000)],
      '0-16000 takenOver',
      REPLACED,
    ],
  ])('%s', (_, entries, ofCandidate, ofLease) => {
    const { lane } = drawn(historyOf(...SETUP, ...entries), 21_000)
    const shapes = (name: string) =>
      lane(name)
        .bars.map(({ fromMs, toMs, outcome }) => `${fromMs - T0}-${toMs === undefined ? 'now' : toMs - T0} ${outcome}`)
        .join(', ')
    expect(shapes('candidate 1')).toBe(ofCandidate)
    expect(shapes('lease')).toBe(ofLease)
  })

  test('has its token and tick as its label, and everything else as its tooltip', () => {
    const history = historyOf(
      ...[...SETUP, began(1, 0), effect(1, 10, { times: 4 }), failed(1, 1_200)],
      ...[began(2, 16_000, { replaced: 1, tick: undefined }), effect(1, 17_000, { verdict: 'refused' })],
    )
    const { lane } = drawn(history, 20_000)
    const [bar] = lane('candidate 1').bars
    expect(bar?.label).toBe('…101 · 06:00')
    expect(bar?.title.split('\n')).toEqual([
      'failed, then taken over: candidate 1, token 101',
      `tick ${TICK}`,
      'from 12:00:00.000 UTC, for 1 s',
      '4 effects accepted, 1 refused',
      'Runtime.ExitError: signal: killed',
      'taken over by token 102',
    ])
    const [tickless] = lane('candidate 2').bars
    expect(tickless?.label).toBe('…102')
    expect(tickless?.title).not.toContain('tick')
  })
})

test.each([
  [0, 1_000, ['1'], [10]],
  [70_000, 80_000, ['2'], []],
  [100_000, 150_000, [], []],
  [250_000, 260_000, ['3'], []],
  [0, 300_000, ['1', '2', '3'], [10, 60_010, 200_010]],
])('the window from %d to %d ms has what reaches into it', (fromMs, toMs, ids, marks) => {
  const history = historyOf(
    ...[...SETUP, began(1, 0), effect(1, 10), ended(1, 400), done(1, 400)],
    ...[began(2, 60_000), effect(2, 60_010), ended(2, 90_000), done(2, 90_000)],
    ...[began(3, 200_000), effect(3, 200_010)],
  )
  const { lane } = drawn(history, 300_000, { fromMs: T0 + fromMs, toMs: T0 + toMs })
  expect(lane('lease').bars.map(({ id }) => id)).toEqual(ids)
  expect(lane('effects').marks.map(([atMs]) => atMs)).toEqual(marks)
})

describe('marks', () => {
  test('are in their lanes: ticks and expiries at the lease, effects in their own, all others at candidates', () => {
    const { lane } = drawn(
      historyOf(
        ...SETUP,
        { kind: 'ticked', atMs: T0, number: 7, tick: TICK },
        ...[began(1, 0), effect(1, 10, { times: 3 }), effect(1, 20, { verdict: 'refused' })],
        effect(1, 25, { verdict: 'unguarded' }),
        ...[done(2, 30, { status: 'standby', reason: 'held' }), failed(3, 40), fault('frozen', 50)],
      ),
      100,
    )
    expect(lane('lease').marks).toEqual([
      [0, 'tick', `tick 7: ${TICK}\n12:00:00.000 UTC`],
      [15_000, 'expiry', 'the lease of token 101 expires'],
    ])
    expect(lane('effects').marks).toEqual([
      [10, 'accepted', '3 × charge\naccepted, from candidate 1 with token 101\n12:00:00.010 UTC'],
      [20, 'refused', 'charge\nrefused, from candidate 1 with token 101\n12:00:00.020 UTC'],
      [25, 'unguarded', expect.stringMatching(/^charge\naccepted although another candidate leads, because no fence/)],
    ])
    const kinds = [1, 2, 3].map((number) => lane(`candidate ${number}`).marks.map(([, kind]) => kind))
    expect(kinds).toEqual([['broken'], ['standby'], ['failure']])
  })

  test('show an expiry only if the lease was not released before', () => {
    const entries = [began(1, 0), began(2, 18_000, { replaced: 1 }), ended(2, 19_000)]
    const { lane } = drawn(historyOf(...SETUP, ...entries), 20_000)
    expect(lane('lease').marks).toEqual([[15_000, 'expiry', 'the lease of token 101 expired']])
  })
})

test.each<[readonly Entry[], readonly number[], string | undefined]>([
  [[], [], undefined],
  [[began(1, 0)], [1], 'leading'],
  [[began(1, 0), ended(1, 10)], [], 'completed'],
  [[began(1, 0), ended(1, 10, 'released')], [], 'released'],
  [[began(1, 0), ended(1, 10, 'failed'), failed(1, 20)], [], 'failed'],
  [[began(1, 0), failed(1, 20)], [1], 'failed, the lease not released'],
  [[began(1, 0), began(2, 10, { replaced: 1 })], [2], 'taken over'],
  [[began(1, 0), failed(1, 10), began(2, 20, { replaced: 1 })], [2], 'failed, then taken over'],
])('the current tenures and the outcome of the first are known: %#', (entries, current, outcome) => {
  const history = historyOf(...entries)
  expect(currentTenures(history).map(({ number }) => number)).toEqual(current)
  expect(history.tenures.slice(0, 1).map(describeOutcome).at(0)).toBe(outcome)
})

test('a tick that is no time is shown as it is', () => {
  expect([TICK, 'no tick'].map(tickTime)).toEqual(['06:00', 'no tick'])
})
