// @ts-nocheck
import { expect, test } from 'vitest'
import type { CallFault } from '../../../infra/local/faults/fault.ts'
import { conclude, endOf, reportOf } from '../fixtures/records.ts'

type Asked = Parameters<typeof conclude>[2]

const NOTHING: Asked = { killLeader: undefined, freezeLeader: undefined, chaos: undefined, without: [], scenario: [] }
const KILL: CallFault = { tick: 2, at: 'charge', nth: 3, do: 'killLeader', when: 'after' }
const FREEZE: CallFault = { tick: 2, at: 'unknown', nth: 1, do: 'freezeLeader', when: 'before' }
const FREEZE_AND_THAW: Asked['scenario'] = [
  { tick: 1, do: 'freezeLeader' },
  { tick: 2, do: 'thawLeader' },
]
const LATE = { staleWritesRefused: 1 }

const verdictOn = (asked: Partial<Asked>, end = endOf(), report: Parameters<typeof conclude>[1] = reportOf()) =>
  conclude(end, report, { ...NOTHING, ...asked }).verdict

test('the summary has what the candidates did, and what the gateway and the ledger have', () => {
  const money = { replayedRequests: 4, lostUpdates: 1, declined: 3, wrongCharges: 2, duplicateCharges: 3 }
  const end = endOf({ failed: 2 })
  const summary = { ...end.summary, ...money, dueNotCharged: 4, charges: 5 }
  expect(conclude(end, reportOf({ ...money, dueNotCharged: 4, ledgerCharges: 5 }), NOTHING).summary).toEqual(summary)
  expect(conclude(end, undefined, NOTHING).summary).toEqual(end.summary)
})

const UNGUARDED = '3 writes of replaced leaders accepted, because no fence guarded them'

test.each([
  [{}, {}, {}, []],
  [{ duplicateCharges: 1 }, {}, {}, ['1 duplicate charge']],
  [{ wrongCharges: 1 }, {}, {}, ['1 wrong charge']],
  [{ dueNotCharged: 2 }, {}, {}, ['2 due and not recorded as charged']],
  [{ lostUpdates: 2 }, {}, { chaos: 1 }, ['gateway and ledger disagree on 2 charges']],
  [{}, { completed: 2 }, {}, ['1 of 3 ticks not completed']],
  [{}, { completed: 2 }, { chaos: 1 }, []],
  [{}, { unguardedWrites: { A: 2, B: 1 } }, { chaos: 1 }, [UNGUARDED]],
  [{}, { completedTwice: 1 }, { chaos: 1 }, ['1 of 3 ticks completed more than once']],
])('errors of a gateway and ledger with %j and ticks with %j, asked for %j: %j', (money, tally, asked, errors) => {
  expect(verdictOn(asked, endOf(tally), reportOf(money)).errors).toEqual(errors)
})

test('errors do not include what an interruption explains', () => {
  const end = endOf({ completed: 2 }, { wasCut: true, isInterrupted: true })
  expect(verdictOn({}, end, reportOf({ lostUpdates: 1 })).errors).toEqual([])
})

test('errors of a task that moves no money are about ticks alone', () => {
  expect(conclude(endOf({ completed: 2, completedTwice: 1 }), undefined, NOTHING).verdict).toEqual({
    errors: ['1 of 3 ticks not completed', '1 of 3 ticks completed more than once'],
    harm: [],
    inconclusive: [],
  })
})

const LOST = reportOf({ lostUpdates: 1 })
const billed = (injected: readonly CallFault[] = []) => reportOf({ injected })
const early = 'The leader of tick 9 was not killed: the run ended before it.'
const few = 'The leader of tick 2 was not killed: the tick had too few charges.'

test.each([
  ['a kill that came too late', { killLeader: 9 }, endOf(), billed(), early],
  ['a kill without enough charges', { killLeader: 2 }, endOf(), billed(), few],
  ['a freeze that did not happen', { freezeLeader: 2 }, endOf(), billed([KILL]), 'was not frozen: the tick had too'],
  ['a freeze without a late write', { freezeLeader: 2 }, endOf(), billed([FREEZE]), 'none of its writes was refused'],
  ['chaos without a takeover', { chaos: 1 }, endOf(LATE), billed(), 'No tick was completed by a successor'],
  ['chaos without a late write', { chaos: 1 }, endOf({ tookOver: 1 }), billed(), 'No write of a replaced leader'],
  ['a harmless missing lease', { without: ['lease'] as const }, endOf(), billed(), 'completed by two leaders'],
  ['a harmless missing fence', { without: ['fence'] as const }, endOf(), billed(), 'no replaced leader overwrote'],
  ['a harmless missing key', { without: ['key'] as const }, endOf(), billed(), 'nothing was charged twice'],
  ['what could not be done', {}, endOf({}, { undone: ['Tick 2.'] }), billed(), 'Tick 2.'],
  ['the same without money', {}, endOf({}, { undone: ['Tick 2.'] }), undefined, 'Tick 2.'],
  ['a thaw without a late write', { scenario: FREEZE_AND_THAW }, endOf(), undefined, 'frozen and thawed, but none'],
])('inconclusive is %s; not if the run was interrupted', (_, asked, end, report, why) => {
  const conclusionOf = (isInterrupted: boolean) =>
    conclude({ ...end, isInterrupted }, report, { ...NOTHING, ...asked }).verdict.inconclusive
  expect(conclusionOf(false)).toEqual([expect.stringContaining(why)])
  expect(conclusionOf(true)).toEqual([])
})

test.each([
  ['a kill', { killLeader: 2 }, endOf(), billed([KILL])],
  ['a freeze with a late write', { freezeLeader: 2 }, endOf(LATE), billed([FREEZE])],
  ['chaos with both', { chaos: 1 }, endOf({ tookOver: 1, ...LATE }), billed()],
  ['chaos without the fence', { chaos: 1, without: ['fence'] as const }, endOf({ tookOver: 1 }), LOST],
  ['a thaw with a late write', { scenario: FREEZE_AND_THAW }, endOf(LATE), undefined],
  ['a thaw with a late end', { scenario: FREEZE_AND_THAW }, endOf({ completionsRefused: 1 }), undefined],
  ['a thaw with an accepted one', { scenario: FREEZE_AND_THAW }, endOf({ unguardedWrites: { A: 1 } }), undefined],
])('inconclusive is not %s', (_, asked, end, report) => {
  expect(conclude(end, report, { ...NOTHING, ...asked }).verdict.inconclusive).toEqual([])
})

test('harm is what each missing protection would have prevented', () => {
  const money = reportOf({ lostUpdates: 3, duplicateCharges: 1 })
  expect(verdictOn({ without: ['lease', 'fence', 'key'] }, endOf({ completedTwice: 3 }), money).harm).toEqual([
    'without the lease: 3 ticks completed by more than one leader',
    'without the fence: 2 charges overwritten in the ledger by a replaced leader',
    'without the key: 1 duplicate charge',
  ])
  // Without the lease each candidate has its own fence, so an overwritten charge is not the harm of a missing fence.
  const overwritten = reportOf({ lostUpdates: 2 })
  expect(verdictOn({ without: ['lease'] }, endOf({ completedTwice: 1 }), overwritten).harm).toEqual([
    'without the lease: 1 tick completed by more than one leader; ' +
      '2 charges overwritten in the ledger, since each lease has its own fence',
  ])
})
