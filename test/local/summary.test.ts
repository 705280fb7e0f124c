import { expect, test } from 'vitest'
import type { Ending } from '../../infra/local/environment.ts'
import { leaderKiller } from '../../infra/local/kill-leader.ts'
import { outcomeOf } from '../../infra/local/outcome.ts'
import { amountsOf } from '../../infra/local/phrases.ts'
import { type Counted, faultsOf, summarize } from '../../infra/local/summary.ts'
import { recordOf } from './fixtures/records.ts'

const counted = (changes: Partial<Counted['gateway'] & Counted['ledger']> = {}, cut = false): Counted => {
  const all = { charges: 5, duplicateCharges: 0, replayedRequests: 0, dueNotCharged: 0, ...changes }
  return { gateway: { ...all, charges: 5 }, ledger: all, cut }
}

const completed: Ending = {
  ok: true,
  value: { status: 'completed', fencingToken: 7, result: { staleWritesRefused: 1 } },
}
const standby: Ending = { ok: true, value: { status: 'standby', reason: 'held' } }
const failed = (...logs: string[]): Ending => ({
  ok: false,
  error: { errorType: 'Error', errorMessage: 'it broke' },
  logs,
})
const billed = '{"level":"INFO","message":"billed","staleWritesRefused":2}'

test('counts invocations by how they ended, retries too, and the writes of replaced leaders that were refused', () => {
  const records = [
    recordOf(1, [{ ending: completed }, { ending: standby }, { ending: standby }]),
    recordOf(2, [
      { ending: failed('plain text', billed), ledWithToken: 6 },
      { ending: standby },
      { ending: completed },
      { ending: failed() },
    ]),
  ]
  expect(summarize(records, 3, counted({ replayedRequests: 4 }))).toEqual({
    ticks: 2,
    candidates: 3,
    completed: 2,
    standby: 3,
    failed: 2,
    tookOver: 1,
    charges: 5,
    duplicateCharges: 0,
    replayedRequests: 4,
    dueNotCharged: 0,
    staleWritesRefused: 4,
  })
})

test('a candidate that failed without leading was not replaced', () => {
  const records = [recordOf(1, [{ ending: failed() }, { ending: completed }])]
  expect(summarize(records, 2, counted()).tookOver).toBe(0)
})

test.each([
  ['a double charge', counted({ duplicateCharges: 1 }), ['1 charged more than once']],
  ['a due subscription that was not charged', counted({ dueNotCharged: 2 }), ['2 due and not charged']],
  ['a ledger that differs from the gateway', counted({ charges: 4 }), ['the gateway counts 5 charges, the ledger 4']],
  ['nothing, where all is well', counted(), []],
  ['no difference that an interrupted tick explains', counted({ charges: 4 }, true), []],
])('finds %s', (_, counts, faults) => {
  const cut = counts.cut ? [recordOf(2, [])] : []
  const summary = summarize([recordOf(1, [{ ending: completed }]), ...cut], 1, counts)
  expect(faultsOf(summary, counts)).toEqual(faults)
})

test('finds a tick that nobody completed', () => {
  const summary = summarize([recordOf(1, [{ ending: standby }])], 1, counted())
  expect(faultsOf(summary, counted())).toEqual(['1 of 1 ticks completed by nobody'])
})

test('what is no outcome counts as failed', () => {
  expect(outcomeOf({ ok: true, value: 'done' })).toMatchObject({
    status: 'failed',
    error: { errorMessage: 'The function returned no outcome, but "done"' },
  })
})

test('the leader is killed once, at half of the charges of its tick', async () => {
  const killedAt: number[] = []
  let charge = 0
  const killer = leaderKiller(2, async () => killedAt.push(charge) > 0)
  for (const number of [1, 2, 3]) {
    killer.tickStarts(number, 6)
    for (let nth = 0; nth < 6; nth += 1) {
      charge += 1
      await killer.beforeReply()
    }
  }
  expect(killedAt).toEqual([9]) // the third of the second tick
  expect(killer.killed()).toBe(true)
})

test('where nobody led at that moment, the next charge kills', async () => {
  const answers = [false, true]
  const killer = leaderKiller(1, async () => answers.shift() ?? false)
  killer.tickStarts(1, 2)
  await killer.beforeReply()
  expect(killer.killed()).toBe(false)
  await killer.beforeReply()
  expect(killer.killed()).toBe(true)
})

test('amounts are told in their own currency, with its digits, the most frequent first', () => {
  const charge = (currency: string, amountMinor: number) => ({ currency, amountMinor })
  const charges = [charge('JPY', 1980), charge('EUR', 999), charge('EUR', 1), charge('KWD', 12_345), charge('USD', 5)]
  expect(amountsOf(charges)).toBe('EUR 10.00, JPY 1,980, KWD 12.345 and 1 more currency')
})
