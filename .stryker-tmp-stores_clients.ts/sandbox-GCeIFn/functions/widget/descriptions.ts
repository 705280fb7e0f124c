/** The texts about tenures and candidates, in the table and in tooltips. */
// @ts-nocheck

import { isCanonicalTick } from '../election/tick.ts'
import type { TenureView } from './model.ts'
import { instant, span } from './time-words.ts'
import { OUTCOME_NAMES } from './timeline/layout.ts'

/** A name and a request id of Lambda, whose first eight letters are enough to recognize it. */
const NAME_AND_UUID = /^(.*\/)?([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export function shortCandidate(candidate: string): string {
  const [, name = '', id] = NAME_AND_UUID.exec(candidate) ?? []
  return id === undefined ? cut(candidate, 40) : cut(name, 32) + id
}

/** The part that differs between the candidates of a function. */
export const candidateId = (candidate: string): string => shortCandidate(candidate).split('/').at(-1) ?? ''

export function cut(text: string, length: number): string {
  const letters = Array.from(text)
  if (letters.length <= length) return text
  const kept = Math.floor((length - 1) / 2)
  return `${letters.slice(0, kept).join('')}…${letters.slice(-kept).join('')}`
}

export const formatTick = (tick: string, nowMs: number): string =>
  isCanonicalTick(tick) ? instant(Date.parse(tick), nowMs) : cut(tick, 30)

/** All that is known of a tenure, one fact per line. */
export function describeTenure(tenure: TenureView, nowMs: number): string {
  const { candidate, fencingToken, tick, beganAtMs, endedAtMs, outcome, failure, successor } = tenure
  const lengthMs = (endedAtMs ?? nowMs) - beganAtMs
  const lasted = lengthMs > 0 ? `, lasted ${span(lengthMs)}` : ''
  return [
    `${OUTCOME_NAMES[outcome]}${failure === undefined ? '' : `: ${cut(failure, 80)}`}`,
    candidate === undefined ? 'candidate not known' : cut(candidate, 200),
    fencingToken === undefined ? 'token not known' : `token ${fencingToken}`,
    ...(tick === undefined ? [] : [`tick ${formatTick(tick, nowMs)} UTC`]),
    `began ${instant(beganAtMs, nowMs)} UTC${endedAtMs === undefined ? `, for ${span(lengthMs)}` : lasted}`,
    ...(successor === undefined ? [] : [`taken over by token ${successor}`]),
  ].join('\n')
}
