/** What must be true of a history. */
// @ts-nocheck

import * as rules from '../../../functions/election/rules.ts'
import type { LeaseRequest } from '../../../functions/election/stores/describe.ts'
import { readRow } from '../../../functions/election/stores/row.ts'
import type { Claim } from '../claims.ts'
import type { Violation } from '../result.ts'
import { additionsIn, fenceIn, type History, LEASE, type RowRequest, type Served } from './history.ts'
import { linearize, type Operation, type State } from './linearizability.ts'

const REQUESTS_SHOWN = 12

export function check({ onLease, onRow, ...rest }: History): readonly Violation[] {
  return [
    ...checkOrder('The lease row', 'S2', onLease.map(leaseOperation), { key: keyOf(undefined), record: undefined }),
    ...checkOrder('The protected row', 'S3', onRow.map(rowOperation), rowState(0, [])),
    ...lostUpdates({ onRow, ...rest }),
  ]
}

type Step<S extends State> = Operation<S> & Served<LeaseRequest | RowRequest>

/** Whether an order of all requests explains every answer, and every row that came with one. */
function checkOrder<S extends State>(row: string, claim: Claim, steps: readonly Step<S>[], initial: S): Violation[] {
  const broken = linearize<S, Step<S>>(initial, steps)
  if (broken === undefined) return []
  const before = steps.filter(({ sentAtMs }) => sentAtMs <= broken.answeredAtMs).slice(-REQUESTS_SHOWN)
  const what = `${row}: no order of the requests explains the answer to the ${broken.request.kind} of ${broken.who}`
  return [{ claim, what, trace: before.map((step) => JSON.stringify(step)) }]
}

interface LeaseRow extends State {
  readonly record: rules.LeaseRecord | undefined
}

/** The specification of the lease row is the shipped rules, by which tokens increase. */
function leaseOperation(served: Served<LeaseRequest>): Step<LeaseRow> {
  const { request, granted, row } = served
  const answered = keyOf(row === undefined ? undefined : readRow(row, LEASE))
  const bringsRow = request.kind === 'acquire' || !granted // as it was before
  return {
    ...served,
    after: (state) => {
      const reply = replyTo(state.record, request)
      if (reply.granted !== granted || (bringsRow && answered !== state.key)) return undefined
      return { record: reply.record, key: keyOf(reply.record) }
    },
  }
}

function replyTo(record: rules.LeaseRecord | undefined, request: LeaseRequest): rules.Reply {
  switch (request.kind) {
    case 'acquire':
      return rules.acquire(record, request)
    case 'giveBack':
      return rules.giveBack(record, request)
    case 'guard':
      return rules.isHeldBy(record, request) ? { granted: true, record } : { granted: false, record }
    default:
      return rules.write(record, request)
  }
}

/** Equal texts for equal records, in whatever order their attributes are. No checkpoint is saved here. */
function keyOf(record: rules.LeaseRecord | undefined): string {
  return JSON.stringify(Object.entries(record ?? {}).toSorted())
}

interface Row extends State {
  readonly fence: number
  readonly additions: readonly string[]
}

function rowState(fence: number, additions: readonly string[]): Row {
  return { fence, additions, key: `${fence} ${additions.join()}` }
}

/** A register, which accepts nothing under a token lower than the highest that it has seen. */
function rowOperation(served: Served<RowRequest>): Step<Row> {
  const { request, granted, row } = served
  const seen = additionsIn(row).join()
  return {
    ...served,
    after: (state) => {
      const { fence, additions } = state
      if (!granted) return seen === additions.join() && fenceIn(row) === fence ? state : undefined
      const { fencingToken = fence } = request
      if (fencingToken < fence) return undefined // an effect of a replaced leader
      if (request.kind === 'read') return seen === additions.join() ? rowState(fencingToken, additions) : undefined
      return rowState(fencingToken, request.additions ?? [])
    },
  }
}

/** Additions that DynamoDB accepted, and that are missing at the end. */
export function lostUpdates({ onRow, additions }: Pick<History, 'onRow' | 'additions'>): readonly Violation[] {
  const writes = onRow.filter(({ request, granted }) => granted && request.kind === 'write')
  const accepted = new Set(writes.flatMap(({ request }) => request.additions?.at(-1) ?? []))
  return [...accepted]
    .filter((addition) => !additions.includes(addition))
    .map((addition) => {
      const first = writes.findIndex(({ request }) => request.additions?.at(-1) === addition)
      const trace = writes.slice(first, first + 3).map((write) => JSON.stringify(write))
      return { claim: 'S3', what: `Lost update: "${addition}", accepted by DynamoDB, is missing at the end`, trace }
    })
}
