import { describe, expect, it } from 'vitest'
import { check } from './check.ts'
import { checkBeliefs } from './checks/beliefs.ts'
import { checkLeaseRow } from './checks/lease-row.ts'
import { checkFence, checkGuard } from './checks/stale-effects.ts'
import { checkTicks } from './checks/ticks.ts'
import { checkTokens } from './checks/tokens.ts'
import { checkUpdates } from './checks/updates.ts'
import { type History, NETWORK } from './history.ts'
import { accepted, LEASE_MS, SKEW_MS, Story, tenureOf } from './story.ts'
import { WORKLOADS } from './workloads.ts'

const TICK = '2026-11-21T05:00:00.000Z'
const EARLIER_TICK = '2026-11-21T04:59:00.000Z'
const NEXT_TICK = '2026-11-21T05:01:00.000Z'
const LONG_ENOUGH_MS = LEASE_MS + SKEW_MS

const told = (failures: readonly { readonly claim?: string; readonly what: string }[]) =>
  failures.map(({ claim, what }) => `${claim ?? ''} ${what}`)
const leaseRow = (history: History) => told(checkLeaseRow(history).failures)

describe('a history in which all is well passes every check', () => {
  it('with two leaders, a loser, a renewal and a claim', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.request('bob', { as: 'acquire', request: story.acquireRequest('bob') })
    story.renew(ann)
    story.claim(ann, 'ann-1')
    story.effect(ann, 'ann-1')
    story.believe(ann)
    story.complete(ann)
    const bob = story.lead('bob')
    story.claim(bob, 'bob-1')
    story.effect(bob, 'bob-1', ann.fencingToken)
    story.complete(bob)
    expect(check(story.end(['ann-1', 'bob-1']), WORKLOADS.fence)).toMatchObject({
      failures: [],
      figures: { operations: 2, acknowledged: 2, tenures: 2, takeovers: 0, lost: 0 },
    })
  })

  it('with a leader that slept past its lease, and whose write was refused', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.claim(ann, 'ann-1')
    story.wait(LONG_ENOUGH_MS)
    const bob = story.lead('bob')
    story.claim(bob, 'bob-1')
    const refused = { outcome: 'refused' as const, atMs: story.atMs + 2, error: 'ConditionalCheckFailedException' }
    const stale = { as: 'effect' as const, op: 'ann-1', fencingToken: ann.fencingToken }
    story.try('ann', stale, { outcome: 'refused', answer: refused })
    story.effect(bob, 'bob-1', bob.fencingToken)
    expect(check(story.end(['bob-1']), WORKLOADS.fence)).toMatchObject({
      failures: [],
      figures: { takeovers: 1, staleRefused: 1, lost: 0 },
    })
  })

  it('with an acquire whose reply was lost, won at the second try, and a copy of it that came late', () => {
    const story = new Story()
    const request = story.acquireRequest('ann')
    story.request('ann', { as: 'acquire', request }, 'reply lost')
    const { record } = story.request('ann', { as: 'acquire', request })
    const ann = story.begin({ ...request, fencingToken: record?.fencingToken ?? 0 })
    story.complete(ann)
    story.request(NETWORK, { as: 'acquire', request }, 'reply lost')
    story.lead('bob')
    expect(told(check(story.end(), WORKLOADS.fence).failures)).toEqual([])
  })

  it('with requests under way that took effect long after they were sent, or never', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.renew(ann, 'lost')
    const late = {
      ...tenureOf(ann),
      kind: 'release' as const,
      step: 9,
      nowMs: story.wallMs,
      endedBy: 'released' as const,
    }
    const sentAtMs = story.atMs
    story.wait(100)
    story.request('ann', { as: 'write', request: late }, 'reply lost', { invokedAtMs: sentAtMs })
    story.lead('bob')
    expect(leaseRow(story.end())).toEqual([])
  })

  it('with a transaction that took effect at a try without an answer, and was told at the next one', () => {
    const story = new Story()
    const ann = story.lead('ann', TICK)
    const label = story.completion(ann, 'ann-1')
    story.request('ann', label, 'reply lost', { transaction: 't-1' })
    story.try('ann', label, accepted(story.atMs), { transaction: 't-1' })
    story.acknowledge(ann, 'ann-1')
    story.lead('bob', NEXT_TICK)
    expect(told(check(story.end(['ann-1']), WORKLOADS.complete).failures)).toEqual([])
  })

  it('with an addition that nobody learned of, whether it is there or not', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.try('ann', { as: 'effect', op: 'ann-1', fencingToken: ann.fencingToken }, {})
    expect(told(checkUpdates(story.end(['ann-1'])))).toEqual([])
    expect(told(checkUpdates(story.end([])))).toEqual([])
  })
})

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

  it('two workers that each believe to have the same token', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.begin({ ...story.acquireRequest('bob'), fencingToken: ann.fencingToken })
    expect(told(checkTokens(story.end()))).toEqual([`S2 Tokens: two tenures had token ${ann.fencingToken}.`])
  })

  it('an effect that was accepted after one under a higher token', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.wait(LONG_ENOUGH_MS)
    const bob = story.lead('bob')
    story.effect(bob, 'bob-1')
    story.effect(ann, 'ann-1')
    expect(told(checkFence(story.end(['bob-1', 'ann-1'])))).toEqual([
      `S3 Fence: the write of "ann-1" under token ${ann.fencingToken} was accepted on a row that had seen token ${bob.fencingToken}.`,
    ])
  })

  it('an effect that was accepted after a claim under a higher token, even a copy that the network made', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.effect(ann, 'ann-1')
    story.wait(LONG_ENOUGH_MS)
    story.claim(story.lead('bob'), 'bob-1')
    story.copyOfEffect(ann, 'ann-1')
    expect(told(checkFence(story.end(['ann-1'])))).toEqual([expect.stringMatching(/^S3 Fence: the write of "ann-1"/)])
  })

  it('an effect that was accepted on a row which says that it had seen a higher token', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.effect(ann, 'ann-1', ann.fencingToken + 1)
    expect(told(checkFence(story.end(['ann-1'])))).toEqual([expect.stringMatching(/^S3 Fence: the write of "ann-1"/)])
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

  it('an update that its worker was told of and that is missing', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.effect(ann, 'ann-1')
    story.effect(ann, 'ann-2')
    expect(told(checkUpdates(story.end(['ann-2'])))).toEqual([
      'S3 Lost update: "ann-1" was written and is missing at the end.',
    ])
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
    const failures = told(checkTicks(story.end(['bob-1'])))
    expect(failures).toEqual([`S5 Ticks: ${TICK} was completed by two tenures.`])
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

  it('an acquire that was granted while another held the lease', () => {
    const story = new Story()
    story.lead('ann')
    story.forge('bob', { as: 'acquire', request: story.acquireRequest('bob') }, 'ok')
    expect(leaseRow(story.end())).toEqual([
      expect.stringMatching(/^S1 Lease row: .* bob .* acquire.*The rules refuse it: vacantOrExpired does not hold/),
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

describe('the verdict', () => {
  it('on a control that loses an update is good, and tells how many', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.effect(ann, 'ann-1')
    story.effect(ann, 'ann-2')
    expect(check(story.end(['ann-2']), WORKLOADS.unfenced)).toMatchObject({ failures: [], figures: { lost: 1 } })
  })

  it('on a control that loses nothing is bad: its faults show nothing', () => {
    const story = new Story()
    story.effect(story.lead('ann'), 'ann-1')
    expect(told(check(story.end(['ann-1']), WORKLOADS.unfenced).failures)).toEqual([
      expect.stringMatching(/lost no update/),
    ])
  })

  it('on a history with too many orders to try is neither that it is right nor that it is wrong', () => {
    const story = new Story()
    story.complete(story.lead('ann'))
    expect(checkLeaseRow(story.end(), 1)).toMatchObject({ failures: [], gaveUp: true })
  })
})
