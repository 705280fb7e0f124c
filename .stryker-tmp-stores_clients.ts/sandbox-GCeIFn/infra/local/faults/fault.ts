/** The faults of a local run, planned at a call or injected at once: types, one description of each, JSON. */
// @ts-nocheck

import { property } from '../../../functions/election/json.ts'
import { show } from '../../../functions/election/show.ts'

/** A fault at a planned call: the position counts calls within a tick, never time. Numbers are from 1. */
export type CallFault = CallAction & { readonly tick: number; readonly at: CallKind; readonly nth: number }

/**
 * `lease`: any write of the lease row. `claim`, `move`: writes of a subscription. `intent`, `answer`, `unknown`: writes
 * of the ledger. `charge`: a charge requested from the gateway. See functions/billing/settling.ts.
 */
export type CallKind = 'lease' | 'claim' | 'move' | 'intent' | 'answer' | 'unknown' | 'charge'

export type CallAction =
  /** SIGKILL for the leader, before its call arrives or before the reply reaches it. */
  | { readonly do: 'killLeader'; readonly when: 'before' | 'after' }
  /** SIGSTOP for the leader at this moment, until its lease has expired and another candidate was invoked again. */
  | { readonly do: 'freezeLeader'; readonly when: 'before' | 'after' }
  | { readonly do: 'dropReply' }
  | { readonly do: 'dropRequest' }
  /** DynamoDB throttles this call and the following ones, `times` in all. */
  | { readonly do: 'throttle'; readonly times: number }
  /** The gateway answers 503, and charges nothing. */
  | { readonly do: 'refuse' }

/** Without another field: a freeze holds back the leader's next write, and a rival is invoked again until the thaw. */
const WITHOUT_CANDIDATE = ['killLeader', 'freezeLeader', 'thawLeader', 'addCandidate'] as const
/** `dropReply` drops DynamoDB's next reply to the candidate, `cutOff` all of its requests. */
const OF_CANDIDATE = ['dropReply', 'cutOff', 'reconnect', 'removeCandidate'] as const
export const MANUAL_FAULTS = [...WITHOUT_CANDIDATE, 'skewClock', ...OF_CANDIDATE] as const
export type CandidateFaultName = (typeof OF_CANDIDATE)[number]

/** A fault injected at once: on the page, by a flag, or from a scenario file. */
export type ManualFault =
  | { readonly do: 'killLeader' | 'freezeLeader' | 'thawLeader' }
  /** For servers that stay: asks the leader to hand over to this candidate. @default the best one that is ready */
  | { readonly do: 'handOver'; readonly candidate?: number }
  | CandidateFault

/** Candidates are added and removed from the next tick on; clocks are set from the next attempt on. */
export type CandidateFault =
  | { readonly do: 'addCandidate' }
  | { readonly do: 'skewClock'; readonly candidate: number; readonly ms: number }
  | { readonly do: CandidateFaultName; readonly candidate: number }

/** A manual fault that is injected before a tick, which is numbered from 1. */
export type ScheduledFault = ManualFault & { readonly tick: number }

export const FAULT_WORDS: Readonly<Record<ManualFault['do'] | CallAction['do'], string>> = {
  killLeader: 'killed',
  freezeLeader: 'frozen',
  thawLeader: 'thawed',
  skewClock: 'clock set',
  dropReply: 'reply dropped',
  dropRequest: 'request dropped',
  throttle: 'throttled',
  refuse: 'refused by the gateway',
  cutOff: 'cut off',
  reconnect: 'reconnected',
  addCandidate: 'added',
  removeCandidate: 'removed',
  handOver: 'asked to hand over',
}

const CALL_NOUNS: Partial<Record<CallKind, string>> = { lease: 'lease write', unknown: 'unknown outcome' }

/** Such as `leader killed after charge 3`, `reply dropped at claim 12`. */
export function describeCallFault(fault: CallFault): string {
  const what = `${'when' in fault ? 'leader ' : ''}${FAULT_WORDS[fault.do]} ${'when' in fault ? fault.when : 'at'}`
  const more = fault.do === 'throttle' && fault.times > 1 ? ` and the next ${fault.times - 1}` : ''
  return `${what} ${CALL_NOUNS[fault.at] ?? fault.at} ${fault.nth}${more}`
}

export const describeSkew = (ms: number): string =>
  ms === 0 ? 'right' : `${Math.abs(ms) / 1000} s ${ms > 0 ? 'ahead' : 'behind'}`

export function isPlannedAt(fault: CallFault, at: CallKind, nth: number): boolean {
  const times = fault.do === 'throttle' ? fault.times : 1
  return fault.at === at && nth >= fault.nth && nth < fault.nth + times
}

/** A fault that cannot be read, or cannot be injected now; the message says why. */
export class FaultError extends Error {
  override readonly name = 'FaultError'
}

export const MAX_CANDIDATES = 10
export const MAX_TICKS = 1_000_000
const MAX_SKEW_MS = 7_200_000

/** @throws FaultError */
export function readFault(value: unknown): ManualFault {
  const name = property(value, 'do')
  const simple = WITHOUT_CANDIDATE.find((one) => one === name)
  if (simple !== undefined) return { do: simple }
  const candidate = () => wholeNumber(property(value, 'candidate'), '"candidate"', 1, MAX_CANDIDATES)
  const ofCandidate = OF_CANDIDATE.find((one) => one === name)
  if (ofCandidate !== undefined) return { do: ofCandidate, candidate: candidate() }
  if (name === 'handOver') {
    return { do: 'handOver', ...(property(value, 'candidate') === undefined ? {} : { candidate: candidate() }) }
  }
  const ms = () => wholeNumber(property(value, 'ms'), '"ms"', -MAX_SKEW_MS, MAX_SKEW_MS)
  if (name === 'skewClock') return { do: 'skewClock', candidate: candidate(), ms: ms() }
  throw new FaultError(`"do" must be one of ${MANUAL_FAULTS.join(', ')}, but is ${show(name)}`)
}

function wholeNumber(value: unknown, what: string, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  throw new FaultError(`${what} must be a whole number from ${min} to ${max}, but is ${show(value)}`)
}

/** A misspelt field would be ignored, and the fault be another one than the user means. */
function refuseUnknownFields(item: unknown, fault: ManualFault): void {
  const known = ['tick', ...Object.keys(fault)]
  const unknown = Object.keys(Object(item)).find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw new FaultError(`${fault.do} has no field ${show(unknown)}, only ${known.map((name) => `"${name}"`).join(', ')}`)
}

/** @throws FaultError that names the item */
export function readScenario(value: unknown): readonly ScheduledFault[] {
  if (!Array.isArray(value)) {
    throw new FaultError('A scenario is a list of faults, such as [{ "tick": 2, "do": "freezeLeader" }]')
  }
  return value.map((item: unknown, index) => {
    try {
      const fault = readFault(item)
      refuseUnknownFields(item, fault)
      return { ...fault, tick: wholeNumber(property(item, 'tick'), '"tick"', 1, MAX_TICKS) }
    } catch (error) {
      if (!(error instanceof FaultError)) throw error
      throw new FaultError(`Fault ${index + 1} of the scenario: ${error.message}`)
    }
  })
}
