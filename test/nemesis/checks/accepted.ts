/** What DynamoDB accepted, as the network saw it, whether or not the client ever learned of it. */
import { acquired } from '../../../functions/election/rules.ts'
import { readRow } from '../../../functions/election/stores/row.ts'
import type { Answer, History, Try } from '../history.ts'

export interface Acquisition {
  readonly who: string
  readonly attempt: string
  readonly candidate: string
  readonly fencingToken: number
  readonly tick?: string
  /** It replaced a holder whose lease had expired. */
  readonly isTakeover: boolean
  readonly invokedAtMs: number
  readonly answeredAtMs: number
}

export interface Accepted {
  readonly who: string
  readonly op: string
  readonly by: 'effect' | 'guard' | 'complete'
  readonly attempt?: string
  readonly fencingToken: number
  readonly tick?: string
  /** The highest token that the row had seen before, where the answer tells. */
  readonly seenToken?: number
  /** When the first try was sent: a transaction takes effect once, perhaps at a try that got no answer. */
  readonly invokedAtMs: number
  readonly answeredAtMs: number
}

/** In the order of their answers. */
export function acquisitionsOf({ tries, run }: History): Acquisition[] {
  return tries
    .flatMap(({ label, who, invokedAtMs, ...tried }) => {
      const answer = said(tried)
      if (label.as !== 'acquire' || answer?.outcome !== 'ok') return []
      const { request } = label
      const before = answer.row === undefined ? undefined : readRow(answer.row, run.lease)
      const { fencingToken, attempt } = acquired(before, request)
      const isTakeover = before?.holder !== undefined
      const tick = request.tick === undefined ? {} : { tick: request.tick }
      const { candidate } = request
      return [{ who, attempt, candidate, fencingToken, ...tick, isTakeover, invokedAtMs, answeredAtMs: answer.atMs }]
    })
    .toSorted(byAnswer)
}

/** Additions to the protected row, in the order of their answers; all tries of one transaction count as one. */
export function acceptedAdditions({ tries }: History): Accepted[] {
  const firstSentAtMs = new Map<string, number>()
  for (const { transaction, invokedAtMs } of tries) {
    if (transaction !== undefined && !firstSentAtMs.has(transaction)) firstSentAtMs.set(transaction, invokedAtMs)
  }
  const accepted = tries.flatMap((tried) => {
    const { transaction, who, invokedAtMs } = tried
    const answer = said(tried)
    const addition = additionOf(tried)
    if (addition === undefined || answer?.outcome !== 'ok') return []
    const seenToken = answer.seenToken === undefined ? {} : { seenToken: answer.seenToken }
    const sentAtMs = transaction === undefined ? invokedAtMs : (firstSentAtMs.get(transaction) ?? invokedAtMs)
    return [{ ...addition, ...seenToken, who, transaction, invokedAtMs: sentAtMs, answeredAtMs: answer.atMs }]
  })
  const told = new Set<string>()
  return accepted.toSorted(byAnswer).filter(({ transaction }) => {
    if (transaction === undefined) return true
    const isFirst = !told.has(transaction)
    told.add(transaction)
    return isFirst
  })
}

/** The addition that a request carries, whatever became of it. */
export function additionOf({
  label,
}: Pick<Try, 'label'>): Omit<Accepted, 'who' | 'invokedAtMs' | 'answeredAtMs'> | undefined {
  switch (label.as) {
    case 'effect':
      return { op: label.op, by: 'effect', fencingToken: label.fencingToken }
    case 'guard':
      return { op: label.op, by: 'guard', attempt: label.tenure.attempt, fencingToken: label.tenure.fencingToken }
    case 'write': {
      const { request, op } = label
      if (op === undefined) return undefined
      const tick = request.kind === 'complete' && request.tick !== undefined ? { tick: request.tick } : {}
      return { op, by: 'complete', attempt: request.attempt, fencingToken: request.fencingToken, ...tick }
    }
    default:
      return undefined
  }
}

function said({ answer, withheld }: Pick<Try, 'answer' | 'withheld'>): Answer | undefined {
  return answer ?? withheld
}

function byAnswer(a: { readonly answeredAtMs: number }, b: { readonly answeredAtMs: number }): number {
  return a.answeredAtMs - b.answeredAtMs
}
