/**
 * The lease row behaves as rules.ts says, one request after the other: an order of all requests exists that explains every
 * answer that DynamoDB gave, and every row that came with one, whether or not the client got it. Requests of which nobody
 * learned anything may have taken effect whenever it suits, or never.
 */
import * as rules from '../../../../functions/election/rules.ts'
import { readRow } from '../../../../functions/election/stores/row.ts'
import type { Claim } from '../../claims.ts'
import type { Failure } from '../../part.ts'
import type { History } from '../history.ts'
import { linearize, type Operation, type WithKey } from './linearizability.ts'
import { servedRequests } from './served.ts'
import { isOnLeaseRow, type OnLeaseRow, replyTo } from './specification.ts'
import { timesOf } from './times.ts'

export interface LeaseRowFinding {
  readonly failures: readonly Failure[]
  readonly operations: number
  readonly open: number
  /** The checker ran out of steps; the history may be right or wrong. */
  readonly gaveUp: boolean
}

export function checkLeaseRow(history: History, mostSteps?: number): LeaseRowFinding {
  const operations = requestsOf(history)
  const result = linearize<Row, Request>(rowOf(undefined), operations, mostSteps)
  const counts = {
    operations: operations.length,
    open: operations.filter(({ answeredAtMs }) => answeredAtMs === Number.POSITIVE_INFINITY).length,
  }
  if (result.kind === 'violation') {
    return { ...counts, gaveUp: false, failures: [violation(history, operations, result.operation, result.possible)] }
  }
  return { ...counts, gaveUp: result.kind === 'gaveUp', failures: [] }
}

interface Row extends WithKey {
  readonly record: rules.LeaseRecord | undefined
}

interface Request extends Operation<Row> {
  readonly who: string
  readonly label: OnLeaseRow
  readonly answer: { readonly outcome: 'ok' | 'refused'; readonly record: rules.LeaseRecord | undefined } | undefined
}

function rowOf(record: rules.LeaseRecord | undefined): Row {
  return { record, key: keyOf(record) }
}

function keyOf(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    ) ?? 'no row'
  )
}

function requestsOf(history: History): Request[] {
  return servedRequests(history).flatMap(({ label, who, sentAtMs, answer }) => {
    if (!isOnLeaseRow(label)) return []
    if (answer === undefined)
      return [request({ who, label, invokedAtMs: sentAtMs, answeredAtMs: Number.POSITIVE_INFINITY, answer })]
    const { outcome, atMs, row } = answer
    const record = row === undefined ? undefined : readRow(row, history.run.lease)
    return [request({ who, label, invokedAtMs: sentAtMs, answeredAtMs: atMs, answer: { outcome, record } })]
  })
}

function request(fields: Omit<Request, 'after'>): Request {
  const { label, answer } = fields
  return {
    ...fields,
    ...(answer === undefined ? { alike: JSON.stringify(label) } : {}), // all tries of one request do the same
    isReadOnly: answer !== undefined && (answer.outcome === 'refused' || label.as === 'guard'),
    after: (row) => {
      const reply = replyTo(row.record, label)
      if (answer === undefined) return reply.granted && reply.record !== row.record ? rowOf(reply.record) : undefined
      if (reply.granted !== (answer.outcome === 'ok')) return undefined
      // A write that was granted brings no row; all other answers do, as it was before.
      const bringsRow = label.as === 'acquire' || !reply.granted
      if (bringsRow && keyOf(answer.record) !== row.key) return undefined
      return reply.granted ? rowOf(reply.record) : row
    },
  }
}

const MOST_ROWS_SHOWN = 3
const REQUESTS_SHOWN = 8

function violation(history: History, all: readonly Request[], broken: Request, possible: readonly Row[]): Failure {
  const at = timesOf(history)
  const describe = ({ who, label, answer, invokedAtMs, answeredAtMs }: Request) =>
    `${at(invokedAtMs)}: ${who} asked to ${nameOf(label)}; ${
      answer === undefined
        ? 'no answer'
        : `${answer.outcome === 'ok' ? 'granted' : 'refused'} at ${at(answeredAtMs)}${showRow(label, answer)}`
    }`
  const before = all
    .filter(({ invokedAtMs }) => invokedAtMs <= broken.answeredAtMs)
    .toSorted((a, b) => a.invokedAtMs - b.invokedAtMs)
    .slice(-REQUESTS_SHOWN)
  return {
    ...claimOf(broken),
    what: `Lease row: no order of the requests explains how DynamoDB answered ${broken.who}, which asked to ${nameOf(broken.label)}. ${whyNot(broken, possible)}`,
    trace: [
      ...before.map(describe),
      ...possible.slice(0, MOST_ROWS_SHOWN).map(({ record }) => `By the rules the row could be: ${show(record)}`),
    ],
  }
}

/** Where the row could only be one: the rules that say otherwise than the answer. */
function whyNot({ label, answer }: Request, possible: readonly Row[]): string {
  const [row, ...more] = possible
  if (row === undefined || more.length > 0 || answer === undefined) return ''
  const reply = replyTo(row.record, label)
  if (reply.granted && answer.outcome === 'refused') return 'The rules grant it.'
  if (reply.granted === (answer.outcome === 'ok'))
    return 'The row that came with it is one that nobody had written, or an older one.'
  if (label.as !== 'acquire') return 'The rules refuse it: the row says that another tenure lasts, or a newer step.'
  const failed = Object.entries(rules.acquireConditions(row.record, label.request)).filter(([, holds]) => !holds)
  return `The rules refuse it: ${failed.map(([name]) => name).join(', ')} does not hold.`
}

/** Whoever ends or extends a lease that is not his makes two leaders of one. */
function claimOf({ label, answer }: Request): { readonly claim?: Claim } {
  if (answer?.outcome !== 'ok') return {}
  if (label.as === 'guard') return { claim: 'S3' }
  return { claim: label.as === 'write' && label.request.kind === 'complete' ? 'S5' : 'S1' }
}

function nameOf(label: OnLeaseRow): string {
  if (label.as === 'acquire') return `acquire${label.request.tick === undefined ? '' : ` tick ${label.request.tick}`}`
  if (label.as === 'giveBack') return 'give back'
  if (label.as === 'guard') return `write under the guard of token ${label.tenure.fencingToken}`
  return `${label.request.kind} under token ${label.request.fencingToken}, step ${label.request.step}`
}

function showRow(label: OnLeaseRow, { outcome, record }: NonNullable<Request['answer']>): string {
  if (outcome === 'ok' && label.as !== 'acquire') return ''
  return `, ${outcome === 'ok' ? 'and the row was' : 'the row is'} ${show(record)}`
}

function show(record: rules.LeaseRecord | undefined): string {
  if (record === undefined) return 'absent'
  const { fencingToken, holder, attempt, step, completedTick, endedBy } = record
  const held = holder === undefined ? `vacant (${endedBy})` : `held by ${holder}`
  return `${held}, token ${fencingToken}, step ${step}, attempt ${attempt.slice(0, 8)}${completedTick === undefined ? '' : `, done up to ${completedTick}`}`
}
