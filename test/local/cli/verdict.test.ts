import { expect, test } from 'vitest'
import type { Summary } from '../../../infra/local/cli/summary.ts'
import { verdictOn } from '../../../infra/local/cli/verdict.ts'
import type { CallFault } from '../../../infra/local/faults/fault.ts'
import { CALM } from '../fixtures/records.ts'

type Asked = Parameters<typeof verdictOn>[2]

const NOTHING: Asked = { killLeader: undefined, freezeLeader: undefined, chaos: undefined, without: [] }
const KILL: CallFault = { tick: 2, at: 'charge', nth: 3, do: 'killLeader', when: 'after' }
const FREEZE: CallFault = { tick: 2, at: 'unknown', nth: 1, do: 'freezeLeader', when: 'before' }

function verdict(asked: Partial<Asked>, changes: Partial<Summary> = {}, struck: readonly CallFault[] = []) {
  const summary = { ...CALM, ticks: 3, completed: 3, ...changes }
  return verdictOn(summary, struck, { ...NOTHING, ...asked }, { cut: false, isInterrupted: false, undone: [] })
}

test('a calm run with nothing asked for is right, and proves what it was asked to', () => {
  expect(verdict({})).toEqual({ faults: [], harm: [], inconclusive: [] })
})

test.each<[string, Partial<Asked>, Partial<Summary>, readonly CallFault[], string]>([
  [
    'the leader was not killed',
    { killLeader: 2 },
    {},
    [],
    'The leader of tick 2 was not killed: the tick charged too little.',
  ],
  [
    'the run ended before the kill',
    { killLeader: 9 },
    {},
    [],
    'The leader of tick 9 was not killed: the run ended before it.',
  ],
  [
    'the leader was not frozen',
    { freezeLeader: 2 },
    {},
    [KILL],
    'The leader of tick 2 was not frozen: the tick charged too little.',
  ],
  ['a freeze let no write come late', { freezeLeader: 2 }, {}, [FREEZE], 'no write of its was refused'],
  [
    'chaos let nobody take over',
    { chaos: 1 },
    { staleWritesRefused: 1 },
    [KILL],
    'No tick was completed by a successor',
  ],
  [
    'chaos let no write come late',
    { chaos: 1 },
    { tookOver: 1 },
    [KILL],
    'No write of a replaced leader had to be refused',
  ],
  ['the missing lease did no harm', { without: ['lease'] }, {}, [], 'no tick was completed by two leaders'],
  ['the missing fence did no harm', { without: ['fence'] }, {}, [], 'no write of a replaced leader did harm'],
  ['the missing key did no harm', { without: ['key'] }, {}, [], 'nobody was charged twice'],
])('is inconclusive where %s', (_, asked, changes, struck, why) => {
  const { inconclusive } = verdict(asked, changes, struck)
  expect(inconclusive).toEqual([expect.stringContaining(why)])
})

test('what was asked for and happened is conclusive', () => {
  expect(verdict({ killLeader: 2 }, {}, [KILL]).inconclusive).toEqual([])
  expect(verdict({ freezeLeader: 2 }, { staleWritesRefused: 1 }, [FREEZE]).inconclusive).toEqual([])
  expect(verdict({ chaos: 1 }, { tookOver: 1, staleWritesRefused: 1 }).inconclusive).toEqual([])
  expect(verdict({ chaos: 1, without: ['fence'] }, { tookOver: 1, lostUpdates: 1 }).inconclusive).toEqual([])
})

test('says what each protection that was missing would have prevented', () => {
  const harm = { completedTwice: 3, lostUpdates: 3, duplicateCharges: 1 }
  expect(verdict({ without: ['lease', 'fence', 'key'] }, harm).harm).toEqual([
    'without the lease: 3 ticks completed by more than one leader',
    'without the fence: 2 charges overwritten in the ledger by a replaced leader',
    'without the key: 1 charge too many',
  ])
})

test('what is overwritten without the lease is the harm of the fences, one per lease, and not of a fence that is there', () => {
  expect(verdict({ without: ['lease'] }, { completedTwice: 1, lostUpdates: 2 }).harm).toEqual([
    'without the lease: 1 tick completed by more than one leader; 2 charges overwritten in the ledger, since each lease has a fence of its own',
  ])
})

test('a run in which something planned could not be done proves nothing', () => {
  const undone = ['Tick 2, thawLeader: Nobody is frozen.']
  const summary = { ...CALM, ticks: 3, completed: 3 }
  expect(verdictOn(summary, [], NOTHING, { cut: false, isInterrupted: false, undone }).inconclusive).toEqual(undone)
})

test('nothing is expected of a run that somebody interrupted', () => {
  const summary = { ...CALM, ticks: 1 }
  const asked = { ...NOTHING, killLeader: 2 }
  expect(
    verdictOn(summary, [], asked, { cut: true, isInterrupted: true, undone: ['Tick 2, thawLeader: nobody is frozen.'] })
      .inconclusive,
  ).toEqual([])
})
