/** How each candidate is, and what can be done to one: its clock, its connection, whether it is there at all. */
import type { CandidateEntry } from '../observe/entries.ts'
import { type Act, ActError, MOST_CANDIDATES } from './acts.ts'

export type Condition = Omit<CandidateEntry, 'kind' | 'candidate'>

export type LeaderAct = Extract<Act, { readonly do: 'killLeader' | 'freezeLeader' | 'thawLeader' }>
export type CandidateAct = Exclude<Act, LeaderAct>

export interface Conditions {
  /** @throws ActError where it cannot be done */
  act(act: CandidateAct): void
  of(candidate: number): Condition | undefined
  /** The numbers of those that are woken at the next tick, ascending. */
  present(): readonly number[]
  /** Whether its next reply is to be lost; it is asked once, for that reply. */
  losesReply(candidate: number): boolean
}

export interface ConditionsOptions {
  /** At the start there are so many, from 1. */
  readonly candidates: number
  readonly tell: (entry: CandidateEntry) => void
  /** Something was done to a candidate, in words. */
  readonly broken: (words: string, candidate: number) => void
}

const FRESH: Condition = { isThere: false, skewMs: 0, isCutOff: false, dropsReply: false }

export function createConditions({ candidates, tell, broken }: ConditionsOptions): Conditions {
  const conditions = new Map<number, Condition>()

  const change = (candidate: number, changed: Partial<Condition>, words?: string) => {
    const condition = { ...(conditions.get(candidate) ?? FRESH), ...changed }
    conditions.set(candidate, condition)
    tell({ kind: 'candidate', candidate, ...condition })
    if (words !== undefined) broken(words, candidate)
  }
  const isThere = (candidate: number) => conditions.get(candidate)?.isThere === true
  const present = () => [...conditions.keys()].filter(isThere).sort((a, b) => a - b)

  const conditionOf = (candidate: number): Condition => {
    const condition = conditions.get(candidate)
    if (condition?.isThere === true) return condition
    throw new ActError(`There is no candidate ${candidate}, only ${present().join(', ')}`)
  }

  const add = () => {
    const number = Array.from({ length: MOST_CANDIDATES }, (_, index) => index + 1).find((one) => !isThere(one))
    if (number === undefined) {
      throw new ActError(`There are ${MOST_CANDIDATES} candidates, which is as many as a tick can have`)
    }
    change(number, { ...FRESH, isThere: true }, 'added')
  }

  const remove = (candidate: number) => {
    if (present().length === 1) throw new ActError('One candidate at least has to stay')
    change(candidate, { isThere: false }, 'removed')
  }

  const connect = (candidate: number, isCutOff: boolean) => {
    if (conditions.get(candidate)?.isCutOff === isCutOff) return
    change(candidate, { isCutOff }, isCutOff ? 'cut off' : 'connected again')
  }

  const act = (what: CandidateAct) => {
    if (what.do === 'addCandidate') return add()
    const { candidate } = what
    conditionOf(candidate)
    switch (what.do) {
      case 'removeCandidate':
        return remove(candidate)
      case 'skewClock':
        return change(candidate, { skewMs: what.ms }, clockWords(what.ms))
      case 'dropReply':
        return change(candidate, { dropsReply: true })
      case 'cutOff':
      case 'reconnect':
        return connect(candidate, what.do === 'cutOff')
    }
  }

  for (let candidate = 1; candidate <= candidates; candidate += 1) change(candidate, { isThere: true })

  return {
    act,
    of: (candidate) => conditions.get(candidate),
    present,
    losesReply: (candidate) => {
      const loses = conditions.get(candidate)?.dropsReply === true
      if (loses) change(candidate, { dropsReply: false })
      return loses
    },
  }
}

function clockWords(ms: number): string {
  if (ms === 0) return 'its clock is right again'
  return `its clock is set ${Math.abs(ms) / 1000} s ${ms > 0 ? 'ahead' : 'behind'}`
}
