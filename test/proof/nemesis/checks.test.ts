import { marshall } from '@aws-sdk/util-dynamodb'
import { describe, expect, it } from 'vitest'
import { fenceAttribute } from '../../../functions/election/fencing.ts'
import * as rules from '../../../functions/election/rules.ts'
import type { LeaseRequest } from '../../../functions/election/stores/describe.ts'
import { check } from './checks.ts'
import { type History, LEASE, type Report, type RowRequest, type Served } from './history.ts'

type Leader = rules.AcquireRequest & { readonly fencingToken: number }

/** A history made by hand. Each request takes 2 ms; DynamoDB answers by the rules unless the story says otherwise. */
class Story {
  readonly reports: Report[] = []
  record: rules.LeaseRecord | undefined
  readonly #onLease: Served<LeaseRequest>[] = []
  readonly #onRow: Served<RowRequest>[] = []
  #atMs = 0

  acquire(candidate: string, changes: Partial<rules.AcquireRequest> = {}): Leader {
    const nowMs = 1_000_000 + this.#atMs
    const times = { nowMs, expiresAtMs: nowMs + 1_000, maxClockSkewMs: 100 }
    const request = { lease: LEASE, candidate, attempt: `${candidate}-${this.#atMs}`, ...times, ...changes }
    const before = this.record
    const { granted, record } = rules.acquire(before, request)
    this.record = record
    this.onLease(candidate, { kind: 'acquire', ...request }, granted, before)
    return { ...request, fencingToken: record?.fencingToken ?? 0 }
  }

  release({ nowMs, ...leader }: Leader): void {
    const { lease, candidate, attempt, fencingToken } = leader
    const tenure = { lease, candidate, attempt, fencingToken }
    const request = { kind: 'release' as const, ...tenure, step: 1, nowMs: nowMs + 5, endedBy: 'released' as const }
    this.record = rules.write(this.record, request).record
    this.onLease(candidate, request, true, undefined)
  }

  onLease(who: string, request: LeaseRequest, granted: boolean, row: rules.LeaseRecord | undefined): void {
    this.#onLease.push({ who, request, granted, row: row && marshall(row), ...this.#times() })
  }

  /** Claims and additions; `seen` is the row that comes with the answer: its fence and its additions. */
  onRow(who: string, request: RowRequest, granted: boolean, fence?: number, additions?: readonly string[]): void {
    const row = fence === undefined ? undefined : marshall({ [fenceAttribute(LEASE)]: fence, additions })
    this.#onRow.push({ who, request, granted, row, ...this.#times() })
  }

  end(additions: readonly string[] = []): History {
    return { onLease: this.#onLease, onRow: this.#onRow, reports: this.reports, additions }
  }

  #times() {
    this.#atMs += 10
    return { sentAtMs: this.#atMs, answeredAtMs: this.#atMs + 2 }
  }
}

const problems = (history: History) => check(history).map(({ claim, what }) => `${claim ?? ''} ${what}`)
const claim = (fencingToken: number): RowRequest => ({ kind: 'read', fencingToken })
const write = (fencingToken: number, ...additions: string[]): RowRequest => ({ kind: 'write', fencingToken, additions })

it('accepts two leaders, a loser, and a stale write that is refused', () => {
  const story = new Story()
  const ann = story.acquire('ann')
  story.acquire('bob')
  story.onRow('ann', claim(1), true, 1, [])
  story.release(ann)
  story.acquire('bob')
  story.onRow('bob', claim(2), true, 2, [])
  story.onRow('ann', write(1, 'a'), false, 2, [])
  story.onRow('bob', write(2, 'b'), true)
  story.reports.push(
    { who: 'ann', addition: 'a', outcome: 'refused' },
    { who: 'bob', addition: 'b', outcome: 'written' },
  )
  expect(problems(story.end(['b']))).toEqual([])
})

describe('rejects', () => {
  it.each([
    ['an answer that contradicts the rules', true, (story: Story) => story.record],
    ['an answer with a row that is not the last one', false, () => undefined],
  ])('%s', (_, granted, rowOf) => {
    const story = new Story()
    const request = { ...story.acquire('ann'), candidate: 'bob', attempt: 'bob-1' }
    story.onLease('bob', { kind: 'acquire', ...request }, granted, rowOf(story))
    expect(problems(story.end())[0]).toMatch(/The lease row: no order .* the acquire of bob/)
  })

  it.each([
    ['the same token', -1],
    ['a lower token', -5],
  ])('%s granted later', (_, change) => {
    const story = new Story()
    const ann = story.acquire('ann')
    story.release(ann)
    if (story.record !== undefined) story.record = { ...story.record, fencingToken: ann.fencingToken + change }
    story.acquire('bob')
    expect(problems(story.end())).toContainEqual(
      expect.stringMatching(/^S2 Token \d+ was granted to bob after \d+ to ann/),
    )
  })

  it.each([
    ['a write after a write under a higher token', write(2, 'b'), write(1, 'b', 'a')],
    ['a write after a claim under a higher token', claim(2), write(1, 'a')],
    ['a read that misses a write', write(1, 'a'), claim(2)],
  ])('%s', (_, first, second) => {
    const story = new Story()
    story.onRow('ann', first, true, 2, [])
    story.onRow('bob', second, true, 2, [])
    expect(problems(story.end(second.additions ?? first.additions))[0]).toMatch(/^S3 The protected row: .* of bob/)
  })

  it('a missing addition that was accepted, and one that was reported as written', () => {
    const story = new Story()
    story.onRow('ann', write(1, 'a'), true)
    story.onRow('ann', write(1, 'b'), true)
    story.reports.push({ who: 'bob', addition: 'c', outcome: 'written' })
    expect(problems(story.end(['b']))).toEqual([
      'S3 Lost update: "a", accepted by DynamoDB, is missing at the end',
      'S3 Lost update: "c", reported to bob as written, is missing at the end',
    ])
  })

  it.each([
    ['twice', ['a', 'a'], 'S6 "a" was applied twice'],
    ['although it was reported as refused', ['a', 'b'], 'S6 "b" was written, but reported as refused'],
    ['although no request wrote it', ['a', 'c'], ' "c" is there, but no request wrote it'],
  ])('an addition that is there %s', (_, additions, problem) => {
    const story = new Story()
    story.onRow('ann', write(1, ...additions.slice(0, 1)), true)
    story.reports.push({ who: 'ann', addition: 'b', outcome: 'refused' })
    expect(problems(story.end(additions))).toEqual([problem])
  })
})
