// @ts-nocheck
import { expect, test } from 'vitest'
import {
  FaultError,
  MANUAL_FAULTS,
  type ManualFault,
  readFault,
  readScenario,
} from '../../../infra/local/faults/fault.ts'

const EACH: readonly ManualFault[] = [
  ...(['killLeader', 'freezeLeader', 'thawLeader', 'addCandidate'] as const).map((name) => ({ do: name })),
  ...(['dropReply', 'cutOff', 'reconnect', 'removeCandidate'] as const).map((name) => ({ do: name, candidate: 10 })),
  { do: 'skewClock', candidate: 1, ms: -7_200_000 },
]

const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const candidate = '"candidate" must be a whole number from 1 to 10'

test('a fault of every kind is read from JSON, without other fields', () => {
  expect(EACH.map((fault) => fault.do).sort()).toEqual([...MANUAL_FAULTS].sort())
  for (const fault of EACH) expect(readFault(throughJson({ ...fault, tick: 4, more: 'x' }))).toEqual(fault)
})

test.each([{ do: 'handOver' }, { do: 'handOver', candidate: 2 }])('the page asks servers to hand over: %j', (fault) => {
  expect(readFault(throughJson(fault))).toEqual(fault)
})

const choices = `"do" must be one of ${MANUAL_FAULTS.join(', ')}`
const skew = '"ms" must be a whole number from -7200000 to 7200000'
test.each([
  [undefined, `${choices}, but is missing`],
  [{ do: 'KillLeader' }, `${choices}, but is "KillLeader"`],
  [{ do: ['killLeader'] }, `${choices}, but is a list`],
  [{ do: 'cutOff' }, `${candidate}, but is missing`],
  [{ do: 'handOver', candidate: 11 }, `${candidate}, but is 11`],
  [{ do: 'dropReply', candidate: 0 }, `${candidate}, but is 0`],
  [{ do: 'cutOff', candidate: '1' }, `${candidate}, but is "1"`],
  [{ do: 'skewClock', candidate: 11, ms: 0 }, `${candidate}, but is 11`],
  [{ do: 'skewClock', candidate: 1, ms: 7_200_001 }, `${skew}, but is 7200001`],
  [{ do: 'skewClock', candidate: 1, ms: -7_200_001 }, `${skew}, but is -7200001`],
])('a fault that cannot be read is refused: %j', (value, message) => {
  expect(() => readFault(value)).toThrow(new FaultError(message))
})

test('a scenario is a list of faults, each with its tick', () => {
  const scenario = EACH.map((fault, index) => ({ tick: index + 1, ...fault }))
  expect(readScenario(throughJson(scenario))).toEqual(scenario)
  expect(readScenario([])).toEqual([])
})

const notAList = 'A scenario is a list of faults, such as [{ "tick": 2, "do": "freezeLeader" }]'
const tick = 'Fault 2 of the scenario: "tick" must be a whole number from 1 to 1000000'
const kill = { tick: 1, do: 'killLeader' }
test.each([
  [{}, notAList],
  [[kill, { tick: 0, do: 'killLeader' }], `${tick}, but is 0`],
  [[kill, { tick: 1_000_001, do: 'killLeader' }], `${tick}, but is 1000001`],
  [
    [kill, { tick: 2, do: 'freezeLeader', untilTick: 4 }],
    'Fault 2 of the scenario: freezeLeader has no field "untilTick", only "tick", "do"',
  ],
  [
    [{ tick: 2, do: 'skewClock', candidate: 1, ms: 5, seconds: 5 }],
    'Fault 1 of the scenario: skewClock has no field "seconds", only "tick", "do", "candidate", "ms"',
  ],
  [[{ tick: 2, do: 'cutOff' }], `Fault 1 of the scenario: ${candidate}, but is missing`],
])('a scenario that cannot be read is refused: %j', (value, message) => {
  expect(() => readScenario(value)).toThrow(new FaultError(message))
})
