import { expect, test } from 'vitest'
import { amountsOf } from '../../../infra/local/cli/phrases.ts'
import { type Counted, electionFaultsOf, faultsOf, type Summary, summarize } from '../../../infra/local/cli/summary.ts'
import type { Ending } from '../../../infra/local/lambda-host/environment.ts'
import { outcomeOf } from '../../../infra/local/observe/outcome.ts'
import type { Tally } from '../../../infra/local/run/tally.ts'
import { CALM, killedLeader } from '../fixtures/records.ts'

const counted = (changes: Partial<Counted> = {}): Counted => ({
  duplicateCharges: 0,
  replayedRequests: 0,
  lostUpdates: 0,
  declined: 0,
  wrongCharges: 0,
  ledger: { charges: 5, duplicateCharges: 0, dueNotCharged: 0 },
  ...changes,
})

const failed = (...logs: string[]): Ending => ({
  ok: false,
  error: { errorType: 'Error', errorMessage: 'it broke' },
  logs,
})
const billed = '{"level":"INFO","message":"billed","staleWritesRefused":2}'

const tally: Tally = {
  ticks: 4,
  completed: 3,
  completedTwice: 1,
  standby: 7,
  failed: 2,
  tookOver: 1,
  staleWritesRefused: 5,
}

test('has what the candidates did, and what the gateway and the ledger say', () => {
  const said = counted({ replayedRequests: 4, lostUpdates: 1, declined: 3, wrongCharges: 2 })
  expect(summarize(tally, 3, said)).toEqual({
    ...tally,
    candidates: 3,
    charges: 5,
    duplicateCharges: 0,
    replayedRequests: 4,
    dueNotCharged: 0,
    declined: 3,
    wrongCharges: 2,
    lostUpdates: 1,
  })
})

test.each([
  [3, 1],
  [1, 3],
])('of the %i duplicates at the gateway and the %i in the ledger the larger number counts', (gateway, inLedger) => {
  const ledger = { charges: 5, duplicateCharges: inLedger, dueNotCharged: 0 }
  expect(summarize(tally, 1, counted({ duplicateCharges: gateway, ledger })).duplicateCharges).toBe(3)
})

const ORDINARY = { cut: false, chaos: false }

test.each<[string, Partial<Summary>, Partial<typeof ORDINARY>, string[]]>([
  ['nothing, where all is well', {}, {}, []],
  ['a double charge', { duplicateCharges: 1 }, {}, ['1 charge too many']],
  ['a charge that nobody owed', { wrongCharges: 1 }, {}, ['1 charge of what was not owed']],
  ['a due subscription that was not charged', { dueNotCharged: 2 }, {}, ['2 due and not recorded as charged']],
  ['a gateway and a ledger that differ', { lostUpdates: 1 }, {}, ['gateway and ledger disagree on 1 charge']],
  ['no difference that an interrupted tick explains', { ticks: 2, lostUpdates: 1 }, { cut: true }, []],
  ['a tick that nobody completed', { ticks: 2 }, {}, ['1 of 2 ticks completed by nobody']],
  ['no tick that chaos left to the next one', { ticks: 2 }, { chaos: true }, []],
  ['a tick completed twice', { completedTwice: 1 }, {}, ['1 of 1 tick completed more than once']],
  [
    'a tick completed twice, in chaos too',
    { completedTwice: 1 },
    { chaos: true },
    ['1 of 1 tick completed more than once'],
  ],
  ['lost charges in chaos too', { lostUpdates: 2 }, { chaos: true }, ['gateway and ledger disagree on 2 charges']],
])('finds %s', (_, changes, circumstances, faults) => {
  expect(faultsOf({ ...CALM, ...changes }, { ...ORDINARY, ...circumstances })).toEqual(faults)
})

test('of a task that moves no money only the ticks can be wrong', () => {
  expect(electionFaultsOf(tally, ORDINARY)).toEqual([
    '1 of 4 ticks completed by nobody',
    '1 of 4 ticks completed more than once',
  ])
  expect(electionFaultsOf(tally, { cut: true, chaos: false })).toEqual(['1 of 4 ticks completed more than once'])
  expect(electionFaultsOf({ ...tally, completed: 4, completedTwice: 0 }, ORDINARY)).toEqual([])
})

test('what is no outcome counts as failed', () => {
  expect(outcomeOf({ ok: true, value: 'done' })).toMatchObject({
    status: 'failed',
    error: { errorMessage: 'The function returned no outcome, but "done"' },
  })
})

test('a failure tells with which token it had led, from its log, and none where it had not', () => {
  expect(outcomeOf(killedLeader(6, billed))).toMatchObject({ ledWithToken: 6, work: { staleWritesRefused: 2 } })
  expect(outcomeOf(failed('plain text', billed))).not.toHaveProperty('ledWithToken')
})

test('amounts are told in their own currency, with its digits, the most frequent first', () => {
  const charge = (currency: string, amountMinor: number) => ({ currency, amountMinor })
  const charges = [charge('JPY', 1980), charge('EUR', 999), charge('EUR', 1), charge('KWD', 12_345), charge('USD', 5)]
  expect(amountsOf(charges)).toBe('EUR 10.00, JPY 1,980, KWD 12.345 and 1 more currency')
})
