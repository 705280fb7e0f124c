import { describe, expect, it } from 'vitest'
import { checkBeliefs, MEASURING_ERROR_MS } from './checks/beliefs.ts'
import { checkLeaseRow } from './checks/lease-row.ts'
import { replyTo } from './checks/specification.ts'
import { checkFence, checkGuard } from './checks/stale-effects.ts'
import { checkTicks } from './checks/ticks.ts'
import { checkTokens } from './checks/tokens.ts'
import { checkUpdates } from './checks/updates.ts'
import { type History, NETWORK } from './history.ts'
import { accepted, LEASE_MS, SKEW_MS, Story, tenureOf, told } from './story.ts'

const TICK = '2026-11-21T05:00:00.000Z'
const EARLIER_TICK = '2026-11-21T04:59:00.000Z'
const LONG_ENOUGH_MS = LEASE_MS + SKEW_MS

const leaseRow = (history: History) => told(checkLeaseRow(history).failures)

describe('each history in which something is wrong is rejected for that', () => {
  it('a token that was granted twice', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.complete(ann)
    story.edit({ fencingToken: ann.fencingToken - 1 })
    story.lead('bob')
    expect(told(checkTokens(story.end()))).toContainEqual(expect.stringMatching(/^S2 Tokens: two tenures had token/))
  })

  it('a token that is lower than one before', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.complete(ann)
    story.edit({ fencingToken: ann.fencingToken - 7 })
    story.lead('bob')
    expect(told(checkTokens(story.end()))).toEqual([
      `S2 Tokens: token ${ann.fencingToken - 6} was granted after ${ann.fencingToken}.`,
    ])
  })

  it('a token that one attempt was granted twice', () => {
    const story = new Story()
    const request = story.acquireRequest('ann')
    const { record } = story.request('ann', { as: 'acquire', request })
    story.edit({ holder: 'cy', fencingToken: (record?.fencingToken ?? 0) - 1 })
    story.forge('ann', { as: 'acquire', request }, 'ok')
    expect(told(checkTokens(story.end()))).toContainEqual(expect.stringMatching(/^S2 Tokens: two tenures had token/))
  })

  it('a leader whose token DynamoDB never granted to it', () => {
    const story = new Story()
    const request = story.acquireRequest('ann')
    const { record } = story.request('ann', { as: 'acquire', request })
    story.begin({ ...request, fencingToken: (record?.fencingToken ?? 0) + 1 })
    expect(told(checkTokens(story.end()))).toEqual([expect.stringMatching(/^S1 Tokens: .* never granted to it/)])
  })

  it('two workers that each believe to have the same token', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.begin({ ...story.acquireRequest('bob'), fencingToken: ann.fencingToken })
    expect(told(checkTokens(story.end()))).toContain(`S2 Tokens: two tenures had token ${ann.fencingToken}.`)
  })

  it('an effect that was accepted after one under a higher token', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.wait(LONG_ENOUGH_MS)
    const bob = story.lead('bob')
    story.effect(bob, 'bob-1')
    story.effect(ann, 'ann-1')
    expect(told(checkFence(story.end(['bob-1', 'ann-1'])))).toEqual([
      `S3 Fence: ann wrote "ann-1" under token ${ann.fencingToken} on a row that had seen token ${bob.fencingToken}.`,
    ])
  })

  it('an effect that was accepted after a claim under a higher token, even a copy that the network made', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.effect(ann, 'ann-1')
    story.wait(LONG_ENOUGH_MS)
    story.claim(story.lead('bob'), 'bob-1')
    story.copyOfEffect(ann, 'ann-1')
    expect(told(checkFence(story.end(['ann-1'])))).toEqual([
      expect.stringMatching(/^S3 Fence: the network wrote "ann-1"/),
    ])
  })

  it('an effect that was accepted on a row which says that it had seen a higher token', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.effect(ann, 'ann-1', ann.fencingToken + 1)
    expect(told(checkFence(story.end(['ann-1'])))).toEqual([expect.stringMatching(/^S3 Fence: ann wrote "ann-1"/)])
  })

  it('a guarded effect that was accepted after a successor had acquired', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.wait(LONG_ENOUGH_MS)
    story.lead('bob')
    story.try('ann', { as: 'guard', tenure: tenureOf(ann), op: 'ann-1' }, accepted(story.atMs))
    const history = story.end(['ann-1'])
    expect(told(checkGuard(history))).toEqual([expect.stringMatching(/^S3 Guard: .* after a successor had acquired/)])
    expect(leaseRow(history)).toEqual([expect.stringMatching(/^S3 Lease row: .*write under the guard/)])
  })

  it('an effect that was sent in time, and that the network let go on behind a higher token', () => {
    const story = new Story()
    const ann = story.lead('ann')
    const sentAtMs = story.atMs
    story.wait(LONG_ENOUGH_MS)
    story.effect(story.lead('bob'), 'bob-1')
    const label = { as: 'effect' as const, op: 'ann-1', fencingToken: ann.fencingToken }
    story.try('ann', label, accepted(story.atMs), { invokedAtMs: sentAtMs })
    expect(told(checkFence(story.end(['bob-1'])))).toEqual([expect.stringMatching(/^S3 Fence: ann wrote "ann-1"/)])
  })

  it('a claim that was accepted below the highest token: it lets the stale effect behind it pass', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.wait(LONG_ENOUGH_MS)
    story.claim(story.lead('bob'), 'bob-1')
    story.claim(ann, 'ann-1')
    expect(told(checkFence(story.end()))).toEqual([expect.stringMatching(/^S3 Fence: ann claimed the row under token/)])
  })

  it('a guarded effect that was sent in time, and that the network let go on behind the acquisition of a successor', () => {
    const story = new Story()
    const ann = story.lead('ann')
    const sentAtMs = story.atMs
    story.wait(LONG_ENOUGH_MS)
    story.lead('bob')
    const label = { as: 'guard' as const, tenure: tenureOf(ann), op: 'ann-1' }
    story.try('ann', label, accepted(story.atMs), { invokedAtMs: sentAtMs })
    const history = story.end(['ann-1'])
    expect(told(checkGuard(history))).toEqual([expect.stringMatching(/^S3 Guard: .* after a successor had acquired/)])
    expect(leaseRow(history)).toEqual([expect.stringMatching(/^S3 Lease row: .*write under the guard/)])
  })

  it('a guarded effect of which only the second try reached DynamoDB, when a successor had acquired', () => {
    const story = new Story()
    const ann = story.lead('ann')
    const label = { as: 'guard' as const, tenure: tenureOf(ann), op: 'ann-1' }
    story.dropped('ann', label, { transaction: 't-1' })
    story.wait(LONG_ENOUGH_MS)
    story.lead('bob')
    story.try('ann', label, accepted(story.atMs), { transaction: 't-1' })
    expect(told(checkGuard(story.end(['ann-1'])))).toEqual([expect.stringMatching(/^S3 Guard:/)])
  })

  it('a guarded effect after the end of its own tenure, although nobody succeeded', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.complete(ann)
    story.try('ann', { as: 'guard', tenure: tenureOf(ann), op: 'ann-1' }, accepted(story.atMs))
    expect(leaseRow(story.end(['ann-1']))).toEqual([expect.stringMatching(/^S3 Lease row: .*write under the guard/)])
  })

  it('an update that its worker was told of and that is missing', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.effect(ann, 'ann-1')
    story.effect(ann, 'ann-2')
    expect(told(checkUpdates(story.end(['ann-2'])))).toEqual([
      'S3 Lost update: "ann-1" was written and is missing at the end.',
    ])
  })

  it('an update that a late copy of an older write of the same leader has undone', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.effect(ann, 'ann-1')
    story.effect(ann, 'ann-2')
    story.copyOfEffect(ann, 'ann-1')
    expect(told(checkUpdates(story.end(['ann-1'])))).toEqual([expect.stringMatching(/^S6 Lost update: "ann-2"/)])
  })

  it('an update that was accepted, and then reported as refused', () => {
    const failed = (applied: 'no' | 'unknown', isAccepted: boolean) => {
      const story = new Story()
      const { candidate: who, attempt, fencingToken } = story.lead('ann')
      const withheld = isAccepted ? { withheld: accepted(story.atMs).answer } : {}
      story.try(who, { as: 'effect', op: 'ann-1', fencingToken }, withheld)
      story.tell({ kind: 'failed', who, attempt, fencingToken, op: 'ann-1', error: 'E', applied, atMs: story.atMs })
      return told(checkUpdates(story.end(isAccepted ? ['ann-1'] : [])))
    }
    expect(failed('no', true)).toEqual(['S6 Updates: "ann-1" was written, and reported as refused.'])
    expect(failed('unknown', true)).toEqual([])
    expect(failed('no', false)).toEqual([])
  })

  it('an update that only the network saw accepted, and that is missing', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.try('ann', { as: 'effect', op: 'ann-1', fencingToken: ann.fencingToken }, { withheld: accepted(0).answer })
    expect(told(checkUpdates(story.end([])))).toEqual([expect.stringMatching(/^S3 Lost update: "ann-1"/)])
  })

  it('an update that a worker was told of although DynamoDB never accepted it', () => {
    const story = new Story()
    story.acknowledge(story.lead('ann'), 'ann-1')
    expect(told(checkUpdates(story.end([])))).toEqual([expect.stringMatching(/^S3 Lost update: "ann-1"/)])
  })

  it('an addition that is there twice, and one that nobody made', () => {
    const story = new Story()
    story.effect(story.lead('ann'), 'ann-1')
    expect(told(checkUpdates(story.end(['ann-1', 'ann-1', 'cy-1'])))).toEqual([
      'S5 Updates: "ann-1" is in the row twice.',
      ' Updates: "cy-1" is in the row, but nobody wrote it.',
    ])
  })

  it('a tick that two tenures completed', () => {
    const story = new Story()
    const ann = story.lead('ann', TICK)
    story.wait(LONG_ENOUGH_MS)
    const bob = story.lead('bob', TICK)
    story.complete(bob, 'bob-1')
    story.try('ann', story.completion(ann, 'ann-1'), accepted(story.atMs))
    expect(told(checkTicks(story.end(['bob-1'])))).toEqual([`S5 Ticks: ${TICK} was completed twice.`])
  })

  it('a tick that one tenure completed in two transactions', () => {
    const story = new Story()
    const ann = story.lead('ann', TICK)
    story.try('ann', story.completion(ann, 'ann-1'), accepted(story.atMs), { transaction: 't-1' })
    story.try('ann', story.completion(ann, 'ann-1'), accepted(story.atMs), { transaction: 't-2' })
    expect(told(checkTicks(story.end(['ann-1'])))).toEqual([`S5 Ticks: ${TICK} was completed twice.`])
  })

  it('a tick that a worker believes to have completed, but another did', () => {
    const story = new Story()
    const ann = story.lead('ann', TICK)
    story.wait(LONG_ENOUGH_MS)
    story.complete(story.lead('bob', TICK), 'bob-1')
    story.acknowledge(ann, 'ann-1')
    expect(told(checkTicks(story.end(['bob-1'])))).toEqual([`S5 Ticks: ${TICK} was completed by two tenures.`])
  })

  it('a tick whose effect took place twice', () => {
    const story = new Story()
    const ann = story.lead('ann', TICK)
    story.try('ann', story.completion(ann, 'ann-1'), {})
    story.complete(ann, 'ann-2')
    expect(told(checkTicks(story.end(['ann-1', 'ann-2'])))).toEqual([
      `S5 Ticks: the effect of ${TICK} is in the row 2 times: ann-1, ann-2.`,
    ])
  })

  it('a tick that is granted again after it was completed', () => {
    const story = new Story()
    story.complete(story.lead('ann', TICK), 'ann-1')
    story.edit({ completedTick: EARLIER_TICK })
    story.lead('bob', TICK)
    expect(told(checkTicks(story.end(['ann-1'])))).toEqual([
      `S4 Ticks: ${TICK} was granted to bob after ${TICK} had been completed.`,
    ])
  })

  it('a tick that was asked for in time, and granted behind its completion when the network let the request go on', () => {
    const story = new Story()
    const request = story.acquireRequest('bob', TICK)
    const sentAtMs = story.atMs
    story.complete(story.lead('ann', TICK), 'ann-1')
    story.try('bob', { as: 'acquire', request }, accepted(story.atMs), { invokedAtMs: sentAtMs })
    expect(told(checkTicks(story.end(['ann-1'])))).toEqual([expect.stringMatching(/^S4 Ticks: .* granted to bob/)])
  })

  it('an acquire whose late copy DynamoDB granted, though nobody got the answer', () => {
    const story = new Story()
    const request = story.acquireRequest('ann')
    const { record } = story.request('ann', { as: 'acquire', request })
    story.complete(story.begin({ ...request, fencingToken: record?.fencingToken ?? 0 }))
    story.forge(NETWORK, { as: 'acquire', request }, 'ok', 'reply lost')
    expect(leaseRow(story.end())).toEqual([expect.stringMatching(/attemptIsNew does not hold/)])
  })

  it('a row that only a request explains which never got as far as DynamoDB', () => {
    const historyWith = (fate: 'lost' | 'dropped') => {
      const story = new Story()
      const label = story.renewal(story.lead('ann'))
      story[fate]('ann', label)
      story.row = replyTo(story.row, label).record
      story.request('bob', { as: 'acquire', request: story.acquireRequest('bob') })
      return story.end()
    }
    expect(leaseRow(historyWith('lost'))).toEqual([])
    expect(leaseRow(historyWith('dropped'))).toEqual([expect.stringMatching(/one that nobody had written/)])
  })

  it('an acquire that was granted while another held the lease', () => {
    const story = new Story()
    story.lead('ann')
    story.forge('bob', { as: 'acquire', request: story.acquireRequest('bob') }, 'ok')
    expect(leaseRow(story.end())).toEqual([
      expect.stringMatching(
        /^S1 Lease row: .* bob, which asked to acquire.*The rules refuse it: vacantOrExpired does not hold/,
      ),
    ])
  })

  it('a refusal that shows a row which nobody wrote', () => {
    const story = new Story()
    story.lead('ann')
    story.edit({ step: 3 })
    story.request('bob', { as: 'acquire', request: story.acquireRequest('bob') })
    expect(leaseRow(story.end())).toEqual([
      expect.stringMatching(/The row that came with it is one that nobody had written/),
    ])
  })

  it('a refusal where the rules grant', () => {
    const story = new Story()
    story.complete(story.lead('ann'))
    story.forge('bob', { as: 'acquire', request: story.acquireRequest('bob') }, 'refused')
    expect(leaseRow(story.end())).toEqual([expect.stringMatching(/The rules grant it/)])
  })

  it('a renewal that was granted and then vanished', () => {
    const story = new Story()
    const ann = story.lead('ann')
    const before = story.row
    story.renew(ann)
    story.row = before
    story.request('bob', { as: 'acquire', request: story.acquireRequest('bob') })
    expect(leaseRow(story.end())).toEqual([expect.stringMatching(/or an older one/)])
  })

  it('two workers that believe at the same time that they lead, while clocks keep the budget', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.wait(LONG_ENOUGH_MS)
    story.lead('bob')
    story.wait(10)
    story.believe(ann)
    expect(told(checkBeliefs(story.end()))).toEqual([
      expect.stringMatching(/^S1 Beliefs: ann and bob both believed that they lead/),
    ])
  })

  it('the same for so short a time that it can be measured', () => {
    const historyWith = (overlapMs: number) => {
      const story = new Story()
      const ann = story.lead('ann')
      story.wait(LONG_ENOUGH_MS)
      story.lead('bob')
      const { candidate: who, attempt, fencingToken } = ann
      const [bobs] = story.end().reports.filter((report) => report.kind === 'believes' && report.who === 'bob')
      story.tell({ kind: 'believes', who, attempt, fencingToken, op: who, atMs: (bobs?.atMs ?? 0) + overlapMs })
      return story.end()
    }
    expect(told(checkBeliefs(historyWith(MEASURING_ERROR_MS)))).toEqual([])
    expect(told(checkBeliefs(historyWith(MEASURING_ERROR_MS + 0.1)))).toEqual([
      expect.stringMatching(/^S1 Beliefs: ann and bob both believed/),
    ])
  })

  it('the same where a third believed for a shorter time in between', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.wait(LONG_ENOUGH_MS)
    story.lead('bob')
    story.wait(LONG_ENOUGH_MS)
    story.lead('cy')
    story.wait(10)
    story.believe(ann)
    expect(told(checkBeliefs(story.end()))).toEqual([
      expect.stringMatching(/ann and bob both/),
      expect.stringMatching(/ann and cy both/),
    ])
  })

  it('but not where clocks had left the budget before', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.tell({ kind: 'clocksLeft', atMs: story.atMs })
    story.wait(LONG_ENOUGH_MS)
    story.lead('bob')
    story.wait(10)
    story.believe(ann)
    expect(told(checkBeliefs(story.end()))).toEqual([])
  })
})
