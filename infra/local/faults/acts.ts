/** What somebody does to a running election by hand: on the page, by a flag, or in a scenario file. */
import { property } from '../../../functions/election/json.ts'

export type Act =
  /** SIGKILL for the leader: now where one is at work, else for the next one, behind its first effect. */
  | { readonly do: 'killLeader' }
  /** SIGSTOP for the leader, now or next, with a write on its way, until it is thawed. Its rivals get another chance. */
  | { readonly do: 'freezeLeader' }
  /** SIGCONT for whoever was frozen so. */
  | { readonly do: 'thawLeader' }
  /** From its next try on a candidate's wall clock is ahead by so much; behind, below 0. */
  | { readonly do: 'skewClock'; readonly candidate: number; readonly ms: number }
  /** The next request of a candidate to DynamoDB is carried out, and nobody is told. */
  | { readonly do: 'dropReply'; readonly candidate: number }
  /** No request of a candidate arrives anywhere any more. */
  | { readonly do: 'cutOff'; readonly candidate: number }
  | { readonly do: 'reconnect'; readonly candidate: number }
  /** One more is woken from the next tick on. */
  | { readonly do: 'addCandidate' }
  | { readonly do: 'removeCandidate'; readonly candidate: number }

/** An act before the tick of this number, from 1. */
export type PlannedAct = Act & { readonly tick: number }

/** The act cannot be done, and why, in a sentence. */
export class ActError extends Error {
  override readonly name = 'ActError'
}

const OF_NOBODY = ['killLeader', 'freezeLeader', 'thawLeader', 'addCandidate'] as const
const OF_CANDIDATE = ['dropReply', 'cutOff', 'reconnect', 'removeCandidate'] as const
export const DEEDS = [...OF_NOBODY, 'skewClock', ...OF_CANDIDATE] as const
export type DeedOfCandidate = (typeof OF_CANDIDATE)[number]

export const MOST_CANDIDATES = 10
export const MOST_TICKS = 1_000_000
/** Twice the longest lease: enough to break any budget. */
export const MOST_SKEW_MS = 7_200_000

/** @throws ActError that says what an act looks like */
export function readAct(value: unknown): Act {
  const deed = property(value, 'do')
  const simple = OF_NOBODY.find((one) => one === deed)
  if (simple !== undefined) return { do: simple }
  const ofCandidate = OF_CANDIDATE.find((one) => one === deed)
  if (ofCandidate !== undefined) return { do: ofCandidate, candidate: candidateIn(value) }
  if (deed === 'skewClock') return { do: 'skewClock', candidate: candidateIn(value), ms: skewIn(value) }
  throw new ActError(`"do" must be one of ${DEEDS.join(', ')}, not ${shown(deed)}`)
}

function candidateIn(value: unknown): number {
  return whole(property(value, 'candidate'), '"candidate"', 1, MOST_CANDIDATES)
}

function skewIn(value: unknown): number {
  return whole(property(value, 'ms'), '"ms", how far the clock is ahead,', -MOST_SKEW_MS, MOST_SKEW_MS)
}

function whole(value: unknown, what: string, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw new ActError(`${what} must be a whole number from ${least} to ${most}, not ${shown(value)}`)
}

/** @throws ActError that names the place in the list */
export function readScenario(value: unknown): readonly PlannedAct[] {
  if (!Array.isArray(value)) {
    throw new ActError('A scenario is a list of acts, such as [{ "tick": 2, "do": "freezeLeader" }]')
  }
  return value.map((item: unknown, index) => {
    try {
      return { ...readAct(item), tick: whole(property(item, 'tick'), '"tick"', 1, MOST_TICKS) }
    } catch (error) {
      if (!(error instanceof ActError)) throw error
      throw new ActError(`Act ${index + 1} of the scenario: ${error.message}`)
    }
  })
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/**
 * Names of candidates that nobody will ever have.
 *
 * @throws ActError where an act is for a candidate that is not there from the start, and is not added before
 */
export function refuseUnknownCandidates(acts: readonly PlannedAct[], candidates: number): void {
  for (const act of acts) {
    if (!('candidate' in act)) continue
    const added = acts.filter((other) => other.do === 'addCandidate' && other.tick <= act.tick).length
    if (act.candidate <= candidates + added) continue
    const have = added === 0 ? `there are ${candidates}` : `there are ${candidates}, and ${added} added`
    throw new ActError(`Tick ${act.tick}, ${act.do}: there is no candidate ${act.candidate}, ${have}`)
  }
}
