/**
 * S3: no effect of a replaced leader lands, with `fence` from the successor's first effect on the row (a claim is one), with
 * `guard` from the successor's acquisition.
 */
import type { Failure } from '../../part.ts'
import type { History } from '../history.ts'
import { acceptedAdditions, acquisitionsOf, withHighestBefore } from './accepted.ts'
import { servedRequests } from './served.ts'
import { timesOf } from './times.ts'

/** Something that happened to a row under a token, or to the lease itself. */
interface Deed {
  readonly who: string
  /** As in 'ann wrote "ann-1"'. */
  readonly did: string
  readonly fencingToken: number
  readonly seenToken?: number
  readonly sentAtMs: number
  readonly answeredAtMs: number
}

export function checkFence(history: History): Failure[] {
  const deeds = [...writes(history), ...claims(history)]
  const landed = stale(deeds, deeds)
  const shown = new Set(landed.map(({ one }) => one))
  const seen = deeds.filter((deed) => (deed.seenToken ?? 0) > deed.fencingToken && !shown.has(deed))
  const tell = (one: Deed, before?: Deed) =>
    failure(
      history,
      `Fence: ${one.who} ${one.did} under token ${one.fencingToken} on a row that had seen token`,
      one,
      before,
    )
  return [...landed.map(({ one, before }) => tell(one, before)), ...seen.map((one) => tell(one))]
}

export function checkGuard(history: History): Failure[] {
  const guarded = writes(history).filter(({ by }) => by !== 'effect')
  const grants = acquisitionsOf(history).map((grant) => ({ ...grant, did: 'acquired the lease' }))
  return stale(guarded, grants).map(({ one, before }) =>
    failure(
      history,
      `Guard: ${one.who} ${one.did} under token ${one.fencingToken} after a successor had acquired token`,
      one,
      before,
    ),
  )
}

function stale<Later extends Deed>(deeds: readonly Later[], others: readonly Deed[]) {
  return withHighestBefore(deeds, others).filter(({ one, before }) => before.fencingToken > one.fencingToken)
}

function writes(history: History) {
  return acceptedAdditions(history).map((accepted) => ({ ...accepted, did: `wrote "${accepted.op}"` }))
}

function claims(history: History): Deed[] {
  return servedRequests(history).flatMap(({ label, who, sentAtMs, answer }) => {
    if (label.as !== 'claim' || answer?.outcome !== 'ok') return []
    return [{ who, did: 'claimed the row', fencingToken: label.fencingToken, sentAtMs, answeredAtMs: answer.atMs }]
  })
}

function failure(history: History, what: string, one: Deed, before: Deed | undefined): Failure {
  const at = timesOf(history)
  return {
    claim: 'S3',
    what: `${what} ${before?.fencingToken ?? one.seenToken}.`,
    trace: [
      ...(before === undefined
        ? []
        : [`by ${at(before.answeredAtMs)}: ${before.who} ${before.did} under token ${before.fencingToken}`]),
      `${at(one.sentAtMs)}: the request of ${one.who} under token ${one.fencingToken} reached DynamoDB`,
      `${at(one.answeredAtMs)}: DynamoDB had accepted it`,
    ],
  }
}
