/**
 * No update is lost: whatever was acknowledged to its worker, or accepted by DynamoDB, is in the protected row at the end,
 * once; and nothing is there that nobody wrote. Of additions whose outcome nobody learned either is right. What was accepted
 * is not reported to its worker as refused.
 */
import type { Claim } from '../../claims.ts'
import type { Failure } from '../../part.ts'
import { type History, NETWORK } from '../history.ts'
import { type Accepted, acceptedAdditions, additionOf } from './accepted.ts'
import { timesOf } from './times.ts'

export function checkUpdates(history: History): Failure[] {
  return [...lostUpdates(history), ...foreignOnes(history), ...reportedAsRefused(history)]
}

export function lostUpdates(history: History): Failure[] {
  const there = new Set(history.additions)
  const at = timesOf(history)
  const accepted = acceptedAdditions(history)
  const acceptedOps = new Set(accepted.map(({ op }) => op))
  const onlyAcknowledged = history.reports.flatMap((report) =>
    report.kind === 'acknowledged' && !acceptedOps.has(report.op) && !there.has(report.op)
      ? [lost('S3', report.op, [`${at(report.atMs)}: ${report.who} was told that it had been written`])]
      : [],
  )
  const firstLost = new Map(accepted.filter(({ op }) => !there.has(op)).map((write) => [write.op, write] as const))
  return [
    ...[...firstLost.values()].map((write) =>
      lost(isOwnCopy(write, nextOf(write, accepted)) ? 'S6' : 'S3', write.op, storyOf(history, write, accepted)),
    ),
    ...onlyAcknowledged,
  ]
}

function lost(claim: Claim, op: string, trace: readonly string[]): Failure {
  return { claim, what: `Lost update: "${op}" was written and is missing at the end.`, trace }
}

/** Most likely what wrote over it: it had been read, or sent, before. */
function nextOf(write: Accepted, accepted: readonly Accepted[]): Accepted | undefined {
  return accepted[accepted.indexOf(write) + 1]
}

/** A leader's own older write that the network has delivered again. */
function isOwnCopy(write: Accepted, next: Accepted | undefined): boolean {
  return next?.who === NETWORK && next.fencingToken === write.fencingToken
}

function reportedAsRefused(history: History): Failure[] {
  const at = timesOf(history)
  const accepted = acceptedAdditions(history)
  return history.reports.flatMap((report) => {
    if (report.kind !== 'failed' || report.applied !== 'no') return []
    const write = accepted.find(({ op, answeredAtMs }) => op === report.op && answeredAtMs < report.atMs)
    if (write === undefined) return []
    const told = `${at(report.atMs)}: ${report.who} was told that it had not (${report.error})`
    const trace = [`${at(write.answeredAtMs)}: DynamoDB had accepted it`, told]
    return [{ claim: 'S6' as const, what: `Updates: "${report.op}" was written, and reported as refused.`, trace }]
  })
}

/** The write that is missing, and the next one that was accepted. */
function storyOf(history: History, write: Accepted, accepted: readonly Accepted[]): string[] {
  const at = timesOf(history)
  const next = nextOf(write, accepted)
  const told = (one: Accepted) =>
    `${at(one.answeredAtMs)}: the write of "${one.op}" by ${one.who} under token ${one.fencingToken} was accepted`
  const readBefore = history.tries.findLast(
    ({ label, outcome }) => (label.as === 'read' || label.as === 'claim') && outcome === 'ok' && label.op === next?.op,
  )
  return [
    ...(readBefore === undefined || next === undefined
      ? []
      : [`${at(readBefore.invokedAtMs)}: ${readBefore.who} read the row, to add "${next.op}"`]),
    told(write),
    ...(next === undefined ? [] : [told(next)]),
  ]
}

function foreignOnes(history: History): Failure[] {
  const sent = new Set(history.tries.flatMap((tried) => additionOf(tried)?.op ?? []))
  const seen = new Set<string>()
  return history.additions.flatMap((op) => {
    const isTwice = seen.has(op)
    seen.add(op)
    if (isTwice) return [{ claim: 'S5' as const, what: `Updates: "${op}" is in the row twice.`, trace: [] }]
    return sent.has(op) ? [] : [{ what: `Updates: "${op}" is in the row, but nobody wrote it.`, trace: [] }]
  })
}
