/** S2: tokens strictly increase in the order of the grants, and no two tenures have the same one. */
import type { Failure } from '../../proof/part.ts'
import type { History } from '../history.ts'
import { type Acquisition, acquisitionsOf } from './accepted.ts'
import { timesOf } from './times.ts'

export function checkTokens(history: History): Failure[] {
  return [...sharedTokens(history), ...loweredTokens(history)]
}

/** Both by what DynamoDB granted and by what the workers believe. */
function sharedTokens(history: History): Failure[] {
  const at = timesOf(history)
  const granted = acquisitionsOf(history).map((grant) => ({ ...grant, how: 'was granted', atMs: grant.answeredAtMs }))
  const believed = history.reports
    .filter(({ kind }) => kind === 'began')
    .map((report) => ({ ...report, how: 'believed to have' }))
  const first = new Map<number, { readonly attempt: string; readonly text: string }>()
  return [...granted, ...believed].flatMap(({ fencingToken, attempt, who, how, atMs }) => {
    const text = `${at(atMs)}: ${who} ${how} token ${fencingToken} (attempt ${attempt})`
    const other = first.get(fencingToken)
    if (other === undefined) first.set(fencingToken, { attempt, text })
    if (other === undefined || other.attempt === attempt) return []
    return [{ claim: 'S2' as const, what: `Tokens: two tenures had token ${fencingToken}.`, trace: [other.text, text] }]
  })
}

/** Of two grants only one that was answered before the other was asked for is certainly the earlier. */
function loweredTokens(history: History): Failure[] {
  const at = timesOf(history)
  const byAnswer = acquisitionsOf(history)
  const byInvocation = byAnswer.toSorted((a, b) => a.invokedAtMs - b.invokedAtMs)
  const describe = ({ who, fencingToken, invokedAtMs, answeredAtMs }: Acquisition) =>
    `${at(invokedAtMs)} to ${at(answeredAtMs)}: ${who} acquired token ${fencingToken}`
  let highest: Acquisition | undefined
  let answered = 0
  return byInvocation.flatMap((later) => {
    for (
      let next = byAnswer[answered];
      next !== undefined && next.answeredAtMs < later.invokedAtMs;
      next = byAnswer[++answered]
    ) {
      if (next.fencingToken > (highest?.fencingToken ?? 0)) highest = next
    }
    if (highest === undefined || later.fencingToken > highest.fencingToken) return []
    return [
      {
        claim: 'S2' as const,
        what: `Tokens: token ${later.fencingToken} was granted after ${highest.fencingToken}.`,
        trace: [describe(highest), describe(later)],
      },
    ]
  })
}
