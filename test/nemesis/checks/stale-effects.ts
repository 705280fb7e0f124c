/**
 * S3: no effect of a replaced leader lands, with `fence` from the successor's first effect on the row (a claim is one), with
 * `guard` from the successor's acquisition.
 */
import type { Failure } from '../../proof/part.ts'
import type { History, Try } from '../history.ts'
import { type Accepted, acceptedAdditions, acquisitionsOf } from './accepted.ts'
import { timesOf } from './times.ts'

interface Mark {
  readonly who: string
  readonly what: string
  readonly fencingToken: number
  readonly invokedAtMs: number
  readonly answeredAtMs: number
}

export function checkFence(history: History): Failure[] {
  const effects = acceptedAdditions(history)
  const writes = effects.map((effect) => ({ ...effect, what: `wrote ${effect.op}` }))
  const landed = overtaken(effects, [...writes, ...claims(history)])
  const shown = new Set(landed.map(([stale]) => stale))
  const seen = effects.filter((effect) => effect.seenToken !== undefined && effect.seenToken > effect.fencingToken)
  return [
    ...landed.map(([stale, mark]) => failure(history, 'Fence', stale, mark, 'on a row that had seen')),
    ...seen
      .filter((stale) => !shown.has(stale))
      .map((stale) => failure(history, 'Fence', stale, undefined, 'on a row that had seen')),
  ]
}

export function checkGuard(history: History): Failure[] {
  const guarded = acceptedAdditions(history).filter(({ by }) => by !== 'effect')
  const grants = acquisitionsOf(history).map((grant) => ({ ...grant, what: 'acquired the lease' }))
  return overtaken(guarded, grants).map(([stale, mark]) =>
    failure(history, 'Guard', stale, mark, 'after a successor had acquired'),
  )
}

/** Accepted writes that were sent when something under a higher token had certainly happened already. */
function overtaken(writes: readonly Accepted[], marks: readonly Mark[]): (readonly [Accepted, Mark])[] {
  const byAnswer = marks.toSorted((a, b) => a.answeredAtMs - b.answeredAtMs)
  let passed = 0
  let highest: Mark | undefined
  return writes
    .toSorted((a, b) => a.invokedAtMs - b.invokedAtMs)
    .flatMap((write) => {
      for (
        let next = byAnswer[passed];
        next !== undefined && next.answeredAtMs < write.invokedAtMs;
        next = byAnswer[++passed]
      ) {
        if (next.fencingToken > (highest?.fencingToken ?? 0)) highest = next
      }
      return highest !== undefined && highest.fencingToken > write.fencingToken ? [[write, highest] as const] : []
    })
}

function claims({ tries }: History): Mark[] {
  return tries.flatMap(({ label, who, invokedAtMs, answer, withheld }: Try) => {
    const said = answer ?? withheld
    if (label.as !== 'claim' || said?.outcome !== 'ok') return []
    const { fencingToken } = label
    return [{ who, what: 'claimed the row', fencingToken, invokedAtMs, answeredAtMs: said.atMs }]
  })
}

function failure(history: History, check: string, stale: Accepted, mark: Mark | undefined, why: string): Failure {
  const at = timesOf(history)
  const highest = mark?.fencingToken ?? stale.seenToken
  return {
    claim: 'S3',
    what: `${check}: the write of "${stale.op}" under token ${stale.fencingToken} was accepted ${why} token ${highest}.`,
    trace: [
      ...(mark === undefined
        ? []
        : [`by ${at(mark.answeredAtMs)}: ${mark.who} ${mark.what} under token ${mark.fencingToken}`]),
      `${at(stale.invokedAtMs)}: ${stale.who} sent its write under token ${stale.fencingToken}`,
      `${at(stale.answeredAtMs)}: DynamoDB accepted it`,
    ],
  }
}
