// @ts-nocheck
import { marshall } from '@aws-sdk/util-dynamodb'
import { expect, it } from 'vitest'
import { fenceAttribute } from '../../../functions/election/fencing.ts'
import * as rules from '../../../functions/election/rules.ts'
import type { LeaseRequest } from '../../../functions/election/stores/describe.ts'
import { check } from './checks.ts'
import { LEASE, type RowRequest, type Served } from './history.ts'

type Story<Request> = readonly (readonly [who: string, request: Request, granted: boolean, row?: object])[]

/** Requests one after the other, with the rows that come with the answers. */
function served<Request>(story: Story<Request>): Served<Request>[] {
  return story.map(([who, request, granted, row], n) => ({
    ...{ who, request, granted, row: row && marshall(row) },
    ...{ sentAtMs: 10 * n, answeredAtMs: 10 * n + 2 },
  }))
}

function problems(onLease: Story<LeaseRequest>, onRow: Story<RowRequest>, ...additions: readonly string[]) {
  return check({ onLease: served(onLease), onRow: served(onRow), additions }).map(
    ({ claim, what }) => `${claim} ${what}`,
  )
}

function acquire(candidate: string, nowMs: number) {
  const times = { nowMs, expiresAtMs: nowMs + 1_000, maxClockSkewMs: 100 }
  return { kind: 'acquire', lease: LEASE, candidate, attempt: `${candidate}-${nowMs}`, ...times } as const
}
const ann = acquire('ann', 10_000)
const bob = acquire('bob', 10_010)
const annLeads = rules.acquired(undefined, ann)

const claim = (fencingToken: number): RowRequest => ({ kind: 'read', fencingToken })
const write = (fencingToken: number, ...additions: string[]): RowRequest => ({ kind: 'write', fencingToken, additions })
const row = (fence: number, ...additions: string[]) => ({ [fenceAttribute(LEASE)]: fence, additions })

it.each<[string, ...Story<LeaseRequest>[number]]>([
  ['an answer that contradicts the rules', 'bob', bob, true, annLeads],
  ['an answer with a row that is not the last one', 'bob', bob, false],
])('rejects %s', (_, ...answer) => {
  const [problem] = problems([['ann', ann, true], answer], [])
  expect(problem).toMatch(/^S2 The lease row: no order .* the acquire of bob/)
})

it.each([
  ['a write after a write under a higher token', write(2, 'b'), write(1, 'b', 'a')],
  ['a write after a claim under a higher token', claim(2), write(1, 'a')],
  ['a read that misses a write', write(1, 'a'), claim(2)],
])('rejects %s', (_, first, second) => {
  const onRow: Story<RowRequest> = [
    ['ann', first, true, row(2)],
    ['bob', second, true, row(2)],
  ]
  expect(problems([], onRow, ...(second.additions ?? first.additions ?? []))[0]).toMatch(
    /^S3 The protected row: .* of bob/,
  )
})
