/**
 * S2: tokens strictly increase in the order of the grants, and no two tenures have the same one. Whoever believes that it
 * leads was granted just that token.
 */
import type { Failure } from '../../part.ts'
import type { History } from '../history.ts'
import { acquisitionsOf, withHighestBefore } from './accepted.ts'
import { servedRequests } from './served.ts'
import { timesOf } from './times.ts'

export function checkTokens(history: History): Failure[] {
  return [...sharedTokens(history), ...loweredTokens(history), ...neverGranted(history)]
}

/** Both by what DynamoDB granted and by what the workers believe. */
function sharedTokens(history: History): Failure[] {
  const at = timesOf(history)
  const granted = acquisitionsOf(history).map((grant) => ({ ...grant, how: 'was granted', atMs: grant.answeredAtMs }))
  const believed = began(history).map((report) => ({ ...report, how: 'believed to have' }))
  const first = new Map<number, { readonly attempt: string; readonly text: string }>()
  return [...granted, ...believed].flatMap(({ fencingToken, attempt, who, how, atMs }) => {
    const text = `${at(atMs)}: ${who} ${how} token ${fencingToken} (attempt ${attempt})`
    const other = first.get(fencingToken)
    if (other === undefined) first.set(fencingToken, { attempt, text })
    const isBeliefInOwnGrant = how !== 'was granted' && other?.attempt === attempt
    if (other === undefined || isBeliefInOwnGrant) return []
    return [{ claim: 'S2' as const, what: `Tokens: two tenures had token ${fencingToken}.`, trace: [other.text, text] }]
  })
}

/** Of two grants only one that was answered before the other was asked for is certainly the earlier. */
function loweredTokens(history: History): Failure[] {
  const at = timesOf(history)
  const grants = acquisitionsOf(history)
  return withHighestBefore(grants, grants)
    .filter(({ one, before }) => one.fencingToken <= before.fencingToken)
    .map(({ one, before }) => ({
      claim: 'S2',
      what: `Tokens: token ${one.fencingToken} was granted after ${before.fencingToken}.`,
      trace: [before, one].map(
        ({ who, fencingToken, sentAtMs, answeredAtMs }) =>
          `${at(sentAtMs)} to ${at(answeredAtMs)}: ${who} acquired token ${fencingToken}`,
      ),
    }))
}

/** A grant that nobody saw is possible only where one of the requests was never answered by DynamoDB. */
function neverGranted(history: History): Failure[] {
  const at = timesOf(history)
  const grants = acquisitionsOf(history)
  const open = servedRequests(history).flatMap(({ label, answer }) =>
    label.as === 'acquire' && answer === undefined ? [label.request.attempt] : [],
  )
  return began(history)
    .filter(({ attempt, fencingToken }) => {
      const isGranted = grants.some((grant) => grant.attempt === attempt && grant.fencingToken === fencingToken)
      return !isGranted && !open.includes(attempt)
    })
    .map(({ who, attempt, fencingToken, atMs }) => ({
      claim: 'S1',
      what: `Tokens: ${who} believed that it leads with token ${fencingToken}, which DynamoDB never granted to it.`,
      trace: [`${at(atMs)}: ${who} began to lead (attempt ${attempt})`],
    }))
}

function began({ reports }: History) {
  return reports.filter(({ kind }) => kind === 'began')
}
