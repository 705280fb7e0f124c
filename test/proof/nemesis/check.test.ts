import { describe, expect, it } from 'vitest'
import { check } from './check.ts'
import { checkLeaseRow } from './checks/lease-row.ts'
import { replyTo } from './checks/specification.ts'

import { checkSubstance, type Figures } from './checks/substance.ts'
import { checkTokens } from './checks/tokens.ts'
import { checkUpdates } from './checks/updates.ts'
import { type History, NETWORK } from './history.ts'
import { accepted, LEASE_MS, SKEW_MS, Story, tenureOf, told } from './story.ts'
import { WORKLOADS, type Workload } from './workloads.ts'

const TICK = '2026-11-21T05:00:00.000Z'
const NEXT_TICK = '2026-11-21T05:01:00.000Z'
const LONG_ENOUGH_MS = LEASE_MS + SKEW_MS

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
    story.lost('ann', story.renewal(ann))
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

  it('with a leader whose grant no one saw, since DynamoDB never answered that try, and that won by the next', () => {
    const story = new Story()
    const request = story.acquireRequest('ann')
    story.lost('ann', { as: 'acquire', request })
    story.row = replyTo(undefined, { as: 'acquire', request }).record
    const { record } = story.request('ann', { as: 'acquire', request })
    story.complete(story.begin({ ...request, fencingToken: record?.fencingToken ?? 0 }))
    expect(told(check(story.end(), WORKLOADS.fence).failures)).toEqual([])
  })

  it('with two grants whose answers came in the other order', () => {
    const story = new Story()
    const ann = story.acquireRequest('ann')
    const bob = { ...story.acquireRequest('bob'), nowMs: story.wallMs + LONG_ENOUGH_MS }
    const sentAtMs = story.atMs
    const first = replyTo(undefined, { as: 'acquire', request: ann }).record
    story.row = first
    story.request('bob', { as: 'acquire', request: bob }, 'answered', { forwardedAtMs: sentAtMs })
    story.try('ann', { as: 'acquire', request: ann }, accepted(story.atMs), { forwardedAtMs: sentAtMs })
    expect(told(checkTokens(story.end()))).toEqual([])
    expect(leaseRow(story.end())).toEqual([])
  })

  it('with an addition that nobody learned of, whether it is there or not', () => {
    const story = new Story()
    const ann = story.lead('ann')
    story.try('ann', { as: 'effect', op: 'ann-1', fencingToken: ann.fencingToken }, {})
    expect(told(checkUpdates(story.end(['ann-1'])))).toEqual([])
    expect(told(checkUpdates(story.end([])))).toEqual([])
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

  it('on a history with too many orders to try is neither that it is right nor that it is wrong', () => {
    const story = new Story()
    story.complete(story.lead('ann'))
    expect(checkLeaseRow(story.end(), 1)).toMatchObject({ failures: [], gaveUp: true })
  })
})

describe('a run shows too little', () => {
  const figures = {
    operations: 10,
    acknowledged: 9,
    tenures: 12,
    candidates: 3,
    takeovers: 1,
    staleRefused: 1,
    lost: 0,
    overlapsBeyondBudget: 0,
    requests: 90,
    unanswered: 4,
    faults: new Map([['reply lost', 1]]),
  }
  const tooLittle = (changes: Partial<Figures>, workload: Workload = WORKLOADS.fence) =>
    told(checkSubstance({ ...figures, ...changes }, workload))

  it.each<[string, Partial<Figures>]>([
    ['only 4 of 10 additions were acknowledged', { acknowledged: 4 }],
    ['fewer than two candidates ever led', { candidates: 1 }],
    ['no lease was ever taken over', { takeovers: 0 }],
    ['no fault struck', { faults: new Map() }],
    ['no write of a replaced leader was ever refused', { staleRefused: 0 }],
  ])('where %s', (what, changes) => {
    expect(tooLittle({})).toEqual([])
    expect(tooLittle(changes)).toEqual([` The run of "claim and fence" shows too little: ${what}.`])
  })

  it('where a control lost no update', () => {
    expect(tooLittle({ lost: 1 }, WORKLOADS.unfenced)).toEqual([])
    expect(tooLittle({}, WORKLOADS.unfenced)).toEqual([expect.stringMatching(/lost no update, as a control must/)])
  })
})
