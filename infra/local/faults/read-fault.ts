/** Reads manual faults from JSON: from the page, and from a scenario file. */
import { show } from '../../../functions/election/show.ts'
import { property } from '../../../functions/json.ts'
import type { ManualFault, ScheduledFault } from './fault.ts'

/** A fault that cannot be read, or cannot be injected now; the message says why. */
export class FaultError extends Error {
  override readonly name = 'FaultError'
}

const WITHOUT_CANDIDATE = ['killLeader', 'freezeLeader', 'thawLeader', 'addCandidate'] as const
const OF_CANDIDATE = ['dropReply', 'cutOff', 'reconnect', 'removeCandidate'] as const
export const MANUAL_FAULTS = [...WITHOUT_CANDIDATE, 'skewClock', ...OF_CANDIDATE] as const
export type CandidateFaultName = (typeof OF_CANDIDATE)[number]

export const MAX_CANDIDATES = 10
export const MAX_TICKS = 1_000_000
/** Twice the longest lease. */
const MAX_SKEW_MS = 7_200_000

/** @throws FaultError */
export function readFault(value: unknown): ManualFault {
  const name = property(value, 'do')
  const simple = WITHOUT_CANDIDATE.find((one) => one === name)
  if (simple !== undefined) return { do: simple }
  const candidate = () => wholeNumber(property(value, 'candidate'), '"candidate"', 1, MAX_CANDIDATES)
  const ofCandidate = OF_CANDIDATE.find((one) => one === name)
  if (ofCandidate !== undefined) return { do: ofCandidate, candidate: candidate() }
  if (name === 'skewClock') {
    const ms = () => wholeNumber(property(value, 'ms'), '"ms"', -MAX_SKEW_MS, MAX_SKEW_MS)
    return { do: 'skewClock', candidate: candidate(), ms: ms() }
  }
  throw new FaultError(`"do" must be one of ${MANUAL_FAULTS.join(', ')}, but is ${show(name)}`)
}

function wholeNumber(value: unknown, what: string, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  throw new FaultError(`${what} must be a whole number from ${min} to ${max}, but is ${show(value)}`)
}

/** @throws FaultError that names the item */
export function readScenario(value: unknown): readonly ScheduledFault[] {
  if (!Array.isArray(value)) {
    throw new FaultError('A scenario is a list of faults, such as [{ "tick": 2, "do": "freezeLeader" }]')
  }
  return value.map((item: unknown, index) => {
    try {
      return { ...readFault(item), tick: wholeNumber(property(item, 'tick'), '"tick"', 1, MAX_TICKS) }
    } catch (error) {
      if (!(error instanceof FaultError)) throw error
      throw new FaultError(`Fault ${index + 1} of the scenario: ${error.message}`)
    }
  })
}

/** @throws FaultError if a fault is for a candidate that does not exist yet at its tick */
export function refuseUnknownCandidates(faults: readonly ScheduledFault[], candidates: number): void {
  for (const fault of faults) {
    if (!('candidate' in fault)) continue
    const added = faults.filter((other) => other.do === 'addCandidate' && other.tick <= fault.tick).length
    if (fault.candidate <= candidates + added) continue
    const existing = added === 0 ? `there are ${candidates}` : `there are ${candidates}, and ${added} added`
    throw new FaultError(`Tick ${fault.tick}, ${fault.do}: there is no candidate ${fault.candidate}, ${existing}`)
  }
}
