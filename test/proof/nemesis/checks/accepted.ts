/** What DynamoDB accepted, as the network saw it, whether or not the client ever learned of it. */
import { acquired } from '../../../../functions/election/rules.ts'
import { readRow } from '../../../../functions/election/stores/row.ts'
import type { History, Try } from '../history.ts'
import { servedRequests } from './served.ts'

/** It took effect somewhere between the two times. */
interface TookEffect {
  readonly who: string
  readonly fencingToken: number
  readonly sentAtMs: number
  readonly answeredAtMs: number
}

export interface Acquisition extends TookEffect {
  readonly attempt: string
  readonly tick?: string
  /** It replaced a holder whose lease had expired. */
  readonly isTakeover: boolean
}

/** What a request would add to the protected row. */
export interface Addition {
  readonly op: string
  readonly by: 'effect' | 'guard' | 'complete'
  readonly fencingToken: number
  readonly tick?: string
}

export interface Accepted extends Addition, TookEffect {
  /** The highest token that the row had seen before, where the answer tells. */
  readonly seenToken?: number
}

/** In the order of their answers. */
export function acquisitionsOf(history: History): Acquisition[] {
  return servedRequests(history)
    .flatMap(({ label, who, sentAtMs, answer }) => {
      if (label.as !== 'acquire' || answer?.outcome !== 'ok') return []
      const { request } = label
      const before = answer.row === undefined ? undefined : readRow(answer.row, history.run.lease)
      const { fencingToken, attempt } = acquired(before, request)
      const isTakeover = before?.holder !== undefined
      const tick = request.tick === undefined ? {} : { tick: request.tick }
      return [{ who, attempt, fencingToken, ...tick, isTakeover, sentAtMs, answeredAtMs: answer.atMs }]
    })
    .toSorted(byAnswer)
}

/** Additions to the protected row, in the order of their answers. */
export function acceptedAdditions(history: History): Accepted[] {
  return servedRequests(history)
    .flatMap(({ label, who, sentAtMs, answer }) => {
      const addition = additionOf({ label })
      if (addition === undefined || answer?.outcome !== 'ok') return []
      const seenToken = answer.seenToken === undefined ? {} : { seenToken: answer.seenToken }
      return [{ ...addition, ...seenToken, who, sentAtMs, answeredAtMs: answer.atMs }]
    })
    .toSorted(byAnswer)
}

/** The addition that a request carries, whatever became of it. */
export function additionOf({ label }: Pick<Try, 'label'>): Addition | undefined {
  switch (label.as) {
    case 'effect':
      return { op: label.op, by: 'effect', fencingToken: label.fencingToken }
    case 'guard':
      return { op: label.op, by: 'guard', fencingToken: label.tenure.fencingToken }
    case 'write': {
      const { request, op } = label
      if (op === undefined) return undefined
      const tick = request.kind === 'complete' && request.tick !== undefined ? { tick: request.tick } : {}
      return { op, by: 'complete', fencingToken: request.fencingToken, ...tick }
    }
    default:
      return undefined
  }
}

/**
 * Pairs each with what had the highest token of all that had certainly happened before it: those whose answer was there
 * when it was sent.
 */
export function withHighestBefore<Later extends TookEffect, Earlier extends TookEffect>(
  later: readonly Later[],
  earlier: readonly Earlier[],
): { readonly one: Later; readonly before: Earlier }[] {
  const byTime = earlier.toSorted(byAnswer)
  let passed = 0
  let highest: Earlier | undefined
  return later
    .toSorted((a, b) => a.sentAtMs - b.sentAtMs)
    .flatMap((one) => {
      for (let next = byTime[passed]; next !== undefined && next.answeredAtMs < one.sentAtMs; next = byTime[++passed]) {
        if (highest === undefined || next.fencingToken > highest.fencingToken) highest = next
      }
      return highest === undefined ? [] : [{ one, before: highest }]
    })
}

function byAnswer(a: TookEffect, b: TookEffect): number {
  return a.answeredAtMs - b.answeredAtMs
}
