/** The state of each candidate, which manual faults change: its clock, its connection, whether it takes part. */
import { isDeepStrictEqual } from 'node:util'
import type { CandidateEntry } from '../observe/entries.ts'
import {
  type CandidateFault,
  type CandidateFaultName,
  describeClock,
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

export class Candidates {
  readonly #states = new Map<number, CandidateEntry>()
  readonly #add: (entry: CandidateEntry) => void
  readonly #onFault: (description: string, candidate: number) => void

  /** @param count the candidates at the start, numbered from 1 */
  constructor(
    count: number,
    add: (entry: CandidateEntry) => void,
    onFault: (description: string, candidate: number) => void,
  ) {
    this.#add = add
    this.#onFault = onFault
    for (let candidate = 1; candidate <= count; candidate += 1) this.#set({ ...NEW, candidate })
  }

  /** @throws FaultError */
  inject(fault: CandidateFault): void {
    const present = this.present()
    if (fault.do === 'addCandidate') {
      const numbers = Array.from({ length: MAX_CANDIDATES }, (_, index) => index + 1)
      const candidate = numbers.find((number) => !present.includes(number))
      if (candidate === undefined) throw new FaultError(`There are already ${MAX_CANDIDATES} candidates, the maximum`)
      this.#set({ ...NEW, candidate }, FAULT_WORDS.addCandidate)
      return
    }
    const before = this.#states.get(fault.candidate)
    if (before?.isPresent !== true) {
      throw new FaultError(`There is no candidate ${fault.candidate}, only ${present.join(', ')}`)
    }
    if (fault.do === 'removeCandidate' && present.length === 1) {
      throw new FaultError('The last candidate cannot be removed')
    }
    const isClock = fault.do === 'skewClock'
    const state = { ...before, ...(isClock ? { skewMs: fault.ms } : CHANGES[fault.do]) }
    if (isDeepStrictEqual(state, before)) return
    // A reply that will be dropped is recorded when it is.
    const description = fault.do === 'dropReply' ? undefined : FAULT_WORDS[fault.do]
    this.#set(state, isClock ? describeClock(fault.ms) : description)
  }

  /** The numbers of those that are invoked at the next tick, ascending. */
  present(): readonly number[] {
    return [...this.#states].flatMap(([number, { isPresent }]) => (isPresent ? [number] : [])).sort((a, b) => a - b)
  }

  skewMs(candidate: number): number {
    return this.#states.get(candidate)?.skewMs ?? 0
  }

  isReachable(candidate: number): boolean {
    return this.#states.get(candidate)?.isCutOff !== true
  }

  /** Whether to drop this reply to the candidate; true once for each `dropReply`. */
  takeDroppedReply(candidate: number): boolean {
    const state = this.#states.get(candidate)
    if (state?.dropsNextReply !== true) return false
    this.#set({ ...state, dropsNextReply: false })
    return true
  }

  #set(state: CandidateEntry, description?: string): void {
    this.#states.set(state.candidate, state)
    this.#add(state)
    if (description !== undefined) this.#onFault(description, state.candidate)
  }
}
