/** What must be true of a history. */
import * as rules from '../../../functions/election/rules.ts'
import type { LeaseRequest } from '../../../functions/election/stores/describe.ts'
import { readRow } from '../../../functions/election/stores/row.ts'
import type { Claim } from '../claims.ts'
import type { Violation } from '../result.ts'
import { additionsIn, fenceIn, type History, LEASE, type RowRequest, type Served } from './history.ts'
import { linearize, type Operation, type State } from './linearizability.ts'

const REQUESTS_SHOWN = 12

export function check(history: History): readonly Violation[] {
  return [
    ...checkOrder('The lease row', undefined, history.onLease.map(leaseOperation), {
      key: keyOf(undefined),
      record: undefined,
    }),
    ...checkTokens(history),
    ...checkOrder('The protected row', 'S3', history.onRow.map(rowOperation), rowState(0, [])),
    ...lostUpdates(history),
    ...checkAdditions(history),
  ]
}

interface Step<S extends State> extends Operation<S> {
  readonly served: Served<LeaseRequest | RowRequest>
}

/** Whether an order of all requests explains every answer, and every row that came with one. */
function checkOrder<S extends State>(
  row: string,
  claim: Claim | undefined,
  steps: readonly Step<S>[],
  initial: S,
): readonly Violation[] {
  const broken = linearize<S, Step<S>>(initial, steps)
  if (broken === undefined) return []
  const { who, request } = broken.served
  const before = steps.filter(({ sentAtMs }) => sentAtMs <= broken.answeredAtMs).slice(-REQUESTS_SHOWN)
  const what = `${row}: no order of the requests explains the answer to the ${request.kind} of ${who}`
  return [{ ...(claim && { claim }), what, trace: before.map(({ served }) => JSON.stringify(served)) }]
}

interface LeaseRow extends State {
  readonly record: rules.LeaseRecord | undefined
}

/** The specification of the lease row is the shipped rules. */
function leaseOperation(served: Served<LeaseRequest>): Step<LeaseRow> {
  const { request, granted, row, sentAtMs, answeredAtMs } = served
  const answered = keyOf(row === undefined ? undefined : readRow(row, LEASE))
  const bringsRow = request.kind === 'acquire' || !granted // as it was before
  return {
    ...{ served, sentAtMs, answeredAtMs },
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
  const { request, granted, row, sentAtMs, answeredAtMs } = served
  const seen = additionsIn(row).join()
  return {
    ...{ served, sentAtMs, answeredAtMs },
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

/** Tokens increase from each grant to all that were sent after its answer, and no two grants have the same. */
function checkTokens({ onLease }: History): readonly Violation[] {
  const grants = onLease.flatMap(({ request, granted, row, ...times }) => {
    if (request.kind !== 'acquire' || !granted) return []
    const { fencingToken } = rules.acquired(row === undefined ? undefined : readRow(row, LEASE), request)
    return [{ fencingToken, ...times }]
  })
  return grants.flatMap((grant, n) => {
    const isWrong = (other: (typeof grants)[number]) =>
      other.fencingToken === grant.fencingToken ||
      (other.answeredAtMs < grant.sentAtMs && other.fencingToken > grant.fencingToken)
    const other = grants.find((one, m) => m !== n && isWrong(one))
    if (other === undefined) return []
    const what = `Token ${grant.fencingToken} was granted to ${grant.who} after ${other.fencingToken} to ${other.who}`
    return [{ claim: 'S2' as const, what, trace: [JSON.stringify(other), JSON.stringify(grant)] }]
  })
}

/** Additions that DynamoDB accepted, or that were reported as written, and that are missing at the end. */
export function lostUpdates({ onRow, reports, additions }: History): readonly Violation[] {
  const accepted = acceptedIn(onRow).map((addition) => ({ addition, by: 'accepted by DynamoDB' }))
  const reported = reports
    .filter(({ outcome }) => outcome === 'written')
    .map(({ addition, who }) => ({ addition, by: `reported to ${who} as written` }))
  const lost = new Map([...accepted, ...reported].map(({ addition, by }) => [addition, by]))
  for (const addition of additions) lost.delete(addition)
  return [...lost].map(([addition, by]) => {
    const writes = onRow.filter(({ request, granted }) => granted && request.kind === 'write')
    const first = writes.findIndex(({ request }) => request.additions?.at(-1) === addition)
    const next = writes.slice(first, first + 3).map((write) => JSON.stringify(write))
    return { claim: 'S3' as const, what: `Lost update: "${addition}", ${by}, is missing at the end`, trace: next }
  })
}

function acceptedIn(onRow: History['onRow']): readonly string[] {
  return onRow.flatMap(({ request, granted }) => (granted ? (request.additions?.at(-1) ?? []) : []))
}

/** No addition is there twice, or without a request, or although it was reported as refused. */
function checkAdditions({ onRow, reports, additions }: History): readonly Violation[] {
  const refused = new Set(reports.filter(({ outcome }) => outcome === 'refused').map(({ addition }) => addition))
  const accepted = new Set(acceptedIn(onRow))
  return additions.flatMap((addition, n): readonly Violation[] => {
    if (additions.indexOf(addition) < n) return [{ claim: 'S6', what: `"${addition}" was applied twice`, trace: [] }]
    const what = `"${addition}" was written, but reported as refused`
    if (refused.has(addition)) return [{ claim: 'S6', what, trace: [] }]
    return accepted.has(addition) ? [] : [{ what: `"${addition}" is there, but no request wrote it`, trace: [] }]
  })
}
