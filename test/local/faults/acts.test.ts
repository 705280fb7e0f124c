import { describe, expect, test } from 'vitest'
import {
  type Act,
  ActError,
  DEEDS,
  readAct,
  readScenario,
  refuseUnknownCandidates,
} from '../../../infra/local/faults/acts.ts'

const OF_LEADER = ['killLeader', 'freezeLeader', 'thawLeader', 'addCandidate'] as const
const OF_CANDIDATE = ['dropReply', 'cutOff', 'reconnect', 'removeCandidate'] as const
const EACH: readonly Act[] = [
  ...OF_LEADER.map((deed) => ({ do: deed })),
  ...OF_CANDIDATE.map((deed) => ({ do: deed, candidate: 10 })),
  { do: 'skewClock', candidate: 1, ms: -7_200_000 },
]

const isKnown = (deed: string) => EACH.some((act) => act.do === deed)

describe('an act', () => {
  test('is read as it is, whichever of all there are', () => {
    expect(DEEDS.filter((deed) => !isKnown(deed))).toEqual([])
    for (const act of EACH) expect(readAct(JSON.parse(JSON.stringify(act)))).toEqual(act)
  })

  test('has nothing that it does not need', () => {
    expect(readAct({ do: 'killLeader', candidate: 3, tick: 4, more: 'x' })).toEqual({ do: 'killLeader' })
    expect(readAct({ do: 'cutOff', candidate: 3, ms: 5 })).toEqual({ do: 'cutOff', candidate: 3 })
  })

  const choices = `"do" must be one of ${DEEDS.join(', ')}`
  const candidate = '"candidate" must be a whole number from 1 to 10'
  const skew = '"ms", how far the clock is ahead, must be a whole number from -7200000 to 7200000'
  test.each([
    [undefined, `${choices}, not nothing`],
    [null, `${choices}, not nothing`],
    ['killLeader', `${choices}, not nothing`],
    [{ do: 'kill' }, `${choices}, not "kill"`],
    [{ do: 'KillLeader' }, `${choices}, not "KillLeader"`],
    [{ do: 'toString' }, `${choices}, not "toString"`],
    [{ do: ['killLeader'] }, `${choices}, not a list`],
    [{ do: {} }, `${choices}, not an object`],
    [{ do: null }, `${choices}, not null`],
    [{ do: 'x'.repeat(5_000) }, `${choices}, not "${'x'.repeat(59)}…`],
    [{ do: 'cutOff' }, `${candidate}, not nothing`],
    [{ do: 'dropReply', candidate: 0 }, `${candidate}, not 0`],
    [{ do: 'reconnect', candidate: 11 }, `${candidate}, not 11`],
    [{ do: 'removeCandidate', candidate: 1.5 }, `${candidate}, not 1.5`],
    [{ do: 'cutOff', candidate: '1' }, `${candidate}, not "1"`],
    [{ do: 'cutOff', candidate: Number.NaN }, `${candidate}, not NaN`],
    [{ do: 'skewClock', candidate: 11, ms: 0 }, `${candidate}, not 11`],
    [{ do: 'skewClock', candidate: 1 }, `${skew}, not nothing`],
    [{ do: 'skewClock', candidate: 1, ms: '5s' }, `${skew}, not "5s"`],
    [{ do: 'skewClock', candidate: 1, ms: 7_200_001 }, `${skew}, not 7200001`],
    [{ do: 'skewClock', candidate: 1, ms: -7_200_001 }, `${skew}, not -7200001`],
    [{ do: 'skewClock', candidate: 1, ms: 0.5 }, `${skew}, not 0.5`],
  ])('that cannot be read says what it must be: %j', (value, message) => {
    expect(() => readAct(value)).toThrow(new ActError(message))
  })
})

describe('a scenario', () => {
  test('is a list of acts, each with the tick before which it is done', () => {
    const scenario = EACH.map((act, index) => ({ tick: index + 1, ...act }))
    expect(readScenario(JSON.parse(JSON.stringify(scenario)))).toEqual(scenario)
    expect(readScenario([])).toEqual([])
  })

  const whole = '"tick" must be a whole number from 1 to 1000000'
  test.each([
    [{}, 'A scenario is a list of acts, such as [{ "tick": 2, "do": "freezeLeader" }]'],
    [null, 'A scenario is a list of acts, such as [{ "tick": 2, "do": "freezeLeader" }]'],
    [[{ do: 'killLeader' }], `Act 1 of the scenario: ${whole}, not nothing`],
    [[{ tick: 0, do: 'killLeader' }], `Act 1 of the scenario: ${whole}, not 0`],
    [[{ tick: '2', do: 'killLeader' }], `Act 1 of the scenario: ${whole}, not "2"`],
    [[{ tick: 1_000_001, do: 'killLeader' }], `Act 1 of the scenario: ${whole}, not 1000001`],
  ])('that cannot be read says so: %j', (value, message) => {
    expect(() => readScenario(value)).toThrow(new ActError(message))
  })

  test('names the act that is wrong by its place', () => {
    const acts = [
      { tick: 1, do: 'killLeader' },
      { tick: 2, do: 'cutOff' },
    ]
    expect(() => readScenario(acts)).toThrow('Act 2 of the scenario: "candidate" must be')
  })
})

describe('a candidate that an act names', () => {
  const cutOff = (tick: number, candidate: number) => ({ tick, do: 'cutOff', candidate }) as const

  test('must be there from the start, or be added before', () => {
    expect(() => refuseUnknownCandidates([cutOff(1, 4)], 4)).not.toThrow()
    expect(() => refuseUnknownCandidates([{ tick: 2, do: 'addCandidate' }, cutOff(2, 5)], 4)).not.toThrow()
    expect(() => refuseUnknownCandidates([cutOff(1, 5)], 4)).toThrow(
      'Tick 1, cutOff: there is no candidate 5, there are 4',
    )
    expect(() => refuseUnknownCandidates([{ tick: 2, do: 'addCandidate' }, cutOff(1, 5)], 4)).toThrow('there are 4')
    expect(() => refuseUnknownCandidates([{ tick: 2, do: 'addCandidate' }, cutOff(3, 6)], 4)).toThrow(
      'there are 4, and 1 added',
    )
  })
})
