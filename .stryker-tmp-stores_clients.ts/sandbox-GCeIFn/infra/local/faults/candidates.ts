/** The state of each candidate, which manual faults change: its clock, its connection, whether it takes part. */
// @ts-nocheck

import type { CandidateEntry, LeaderEntry } from '../observe/entries.ts'
import type { Recorder } from '../observe/recorder.ts'
import {
  type CandidateFault,
  type CandidateFaultName,
  describeSkew,
  FAULT_WORDS,
  FaultError,
  MAX_CANDIDATES,
} from './fault.ts'

const NEW = { kind: 'candidate', isPresent: true, skewMs: 0, isCutOff: false, dropsNextReply: false } as const

const CHANGES: Readonly<Record<CandidateFaultName, Partial<CandidateEntry>>> = {
  dropReply: { dropsNextReply: true },
  cutOff: { isCutOff: true },
  reconnect: { isCutOff: false },
  removeCandidate: { isPresent: false },
}

export interface CandidatesOptions {
  readonly candidates: number
  readonly add: (entry: CandidateEntry | LeaderEntry) => void
  readonly onFault: Recorder['faultInjected']
}

export class Candidates {
  readonly #states: CandidateEntry[] = []
  readonly #options: CandidatesOptions

  constructor(options: CandidatesOptions) {
    this.#options = options
    for (let candidate = 1; candidate <= options.candidates; candidate += 1) this.#set({ ...NEW, candidate })
  }

  /** @throws FaultError */
  inject(fault: CandidateFault): void {
    const present = this.present()
    if (fault.do === 'addCandidate') {
      if (present.length === MAX_CANDIDATES) {
        throw new FaultError(`There are already ${MAX_CANDIDATES} candidates, the maximum`)
      }
      const gap = present.findIndex((number, index) => number !== index + 1)
      this.#set({ ...NEW, candidate: (gap === -1 ? present.length : gap) + 1 }, FAULT_WORDS.addCandidate)
      return
    }
    const before = this.#states[fault.candidate]
    if (before?.isPresent !== true) {
      throw new FaultError(`There is no candidate ${fault.candidate}, only ${present.join(', ')}`)
    }
    if (fault.do === 'removeCandidate' && present.length === 1) {
      throw new FaultError('The last candidate cannot be removed')
    }
    if (fault.do === 'skewClock') this.#set({ ...before, skewMs: fault.ms }, `clock set ${describeSkew(fault.ms)}`)
    // A reply that will be dropped is recorded when it is.
    else this.#set({ ...before, ...CHANGES[fault.do] }, fault.do === 'dropReply' ? undefined : FAULT_WORDS[fault.do])
  }

  /** The numbers of those that are invoked at the next tick, ascending. */
  present(): readonly number[] {
    return this.#states.filter(({ isPresent }) => isPresent).map(({ candidate }) => candidate)
  }

  skewMs(candidate: number): number {
    return this.#states[candidate]?.skewMs ?? 0
  }

  isReachable(candidate: number): boolean {
    return this.#states[candidate]?.isCutOff !== true
  }

  /** Whether to drop this reply to the candidate; true once for each `dropReply`. */
  takeDroppedReply(candidate: number): boolean {
    const state = this.#states[candidate]
    if (state?.dropsNextReply !== true) return false
    this.#set({ ...state, dropsNextReply: false })
    return true
  }

  #set(state: CandidateEntry, description?: string): void {
    const { candidate } = state
    this.#states[candidate] = state
    this.#options.add(state)
    if (description !== undefined) this.#options.onFault(description, { candidate })
  }
}
