import type { LeaseRecord } from '../../../functions/election/rules.ts'
import type { Claim } from '../claims.ts'
import { judgeBelief, judgeRow } from './claims.ts'
import { Codec } from './codec.ts'
import { initialState, type Model, type Rules, SHIPPED } from './model.ts'
import { steps } from './moves.ts'
import { rowText } from './row-text.ts'
import type { Counts, Move, Situation } from './situations.ts'
import type { State } from './state.ts'
import { StateSet } from './state-set.ts'
import { START_MS, type World } from './world.ts'

export interface Exploration {
  readonly states: number
  readonly steps: number
  /** The longest of all shortest histories: what the search had to go through to be exhausted. */
  readonly depth: number
  readonly breaches: readonly Breach[]
  /** How often each kind of step was taken, and each situation met. */
  readonly taken: Counts<Move>
  readonly seen: Counts<Situation>
  readonly exhausted: boolean
}

/** The first, and so shortest, history that breaks a claim. */
export interface Breach {
  readonly claim: Claim
  readonly what: string
  readonly trace: readonly string[]
}

export interface Options {
  readonly rules?: Rules
  readonly onProgress?: (states: number, depth: number) => void
}

/** Breadth first through all states of a world. Stops at the first broken claim that must hold there. */
export function explore(world: World, { rules = SHIPPED, onProgress }: Options = {}): Exploration {
  const search = new Search(world, rules)
  return search.run(onProgress)
}

const PROGRESS_EVERY = 1 << 16

class Search {
  readonly #world: World
  readonly #model: Model
  readonly #codec: Codec
  readonly #states: StateSet
  /** From which state each was first reached. */
  #parents = new Int32Array(1 << 16)
  readonly #judgedRows = new Map<number, number>()
  readonly #breaches = new Map<Claim, Breach>()
  readonly #taken: Partial<Record<Move, number>> = {}
  readonly #seen: Partial<Record<Situation, number>> = {}
  #pending: { readonly claim: Claim; readonly what: string }[] = []
  #steps = 0
  #isOver = false

  constructor(world: World, rules: Rules) {
    this.#world = world
    this.#codec = new Codec(world.candidates.length)
    this.#states = new StateSet(this.#codec.width)
    this.#model = {
      world,
      rules,
      saw: (situation) => count(this.#seen, situation),
      broke: (claim, what) => {
        this.#pending.push({ claim, what })
      },
    }
  }

  run(onProgress: Options['onProgress']): Exploration {
    const { width } = this.#codec
    const tuple = new Int32Array(width)
    const next = new Int32Array(width)
    this.#codec.encode(initialState(this.#world), next)
    this.#states.add(next)
    let depth = 0
    let levelEnd = 1
    for (let current = 0; current < this.#states.size && !this.#isOver; current++) {
      if (current === levelEnd) {
        depth++
        levelEnd = this.#states.size
      }
      if (current % PROGRESS_EVERY === 0) onProgress?.(this.#states.size, depth)
      this.#states.read(current, tuple)
      const state = this.#codec.decode(tuple)
      steps(this.#model, state, (kind, after, tell) => {
        this.#steps++
        count(this.#taken, kind)
        this.#codec.encodeNext(after, next, state, tuple)
        const known = this.#states.size
        const number = this.#states.add(next)
        if (number === known) this.#discovered(number, current, after, next)
        if (this.#pending.length > 0) this.#keepBreaches(current, after, tell)
      })
    }
    return this.#result(depth)
  }

  #discovered(number: number, parent: number, state: State, tuple: Int32Array): void {
    if (number === this.#parents.length) {
      const longer = new Int32Array(number * 2)
      longer.set(this.#parents)
      this.#parents = longer
    }
    this.#parents[number] = parent
    judgeBelief(this.#model, state)
    // Many states share a row and a time, of which alone these claims speak.
    const row = tuple[1] ?? 0
    const moment = 1 << ((state.timeMs - START_MS) / this.#world.stepMs)
    const judged = this.#judgedRows.get(row) ?? 0
    if ((judged & moment) !== 0) return
    this.#judgedRows.set(row, judged | moment)
    judgeRow(this.#model, state.row, state.timeMs)
  }

  #keepBreaches(parent: number, after: State, tell: () => string): void {
    const { hold, broken } = this.#world.claims
    const pending = this.#pending
    this.#pending = []
    for (const { claim, what } of pending) {
      if (this.#breaches.has(claim) || !(hold.includes(claim) || broken.includes(claim))) continue
      const row = this.#rowOf(parent) === after.row ? [] : [`the row: ${rowText(after.row)}`]
      const trace = [...this.#traceTo(parent), tell(), ...row]
      this.#breaches.set(claim, { claim, what, trace })
      if (hold.includes(claim)) this.#isOver = true
    }
  }

  #rowOf(number: number): LeaseRecord | undefined {
    const tuple = new Int32Array(this.#codec.width)
    this.#states.read(number, tuple)
    return this.#codec.decode(tuple).row
  }

  /** Goes back to the start, then forward again to find the words. */
  #traceTo(number: number): string[] {
    const path = [number]
    for (let at = number; at !== 0; ) {
      at = this.#parents[at] ?? 0
      path.unshift(at)
    }
    const tuple = new Int32Array(this.#codec.width)
    const states = path.map((at) => {
      this.#states.read(at, tuple)
      return { at, state: this.#codec.decode(tuple), tuple: tuple.slice() }
    })
    const trace = [`the row: ${rowText(states[0]?.state.row)}`]
    for (const [nth, { state, tuple: before }] of states.entries()) {
      const target = states[nth + 1]
      if (target !== undefined) trace.push(...this.#tellStep(state, before, target.tuple))
    }
    return trace
  }

  #tellStep(state: State, before: Int32Array, target: Int32Array): string[] {
    const silent: Model = { ...this.#model, saw: () => {}, broke: () => {} }
    const reached = new Int32Array(this.#codec.width)
    let told: string[] = []
    steps(silent, state, (_kind, after, tell) => {
      if (told.length > 0) return
      this.#codec.encodeNext(after, reached, state, before)
      if (!reached.every((part, i) => part === target[i])) return
      told = after.row === state.row ? [tell()] : [tell(), `the row: ${rowText(after.row)}`]
    })
    return told
  }

  #result(depth: number): Exploration {
    return {
      states: this.#states.size,
      steps: this.#steps,
      depth,
      breaches: [...this.#breaches.values()],
      taken: this.#taken,
      seen: this.#seen,
      exhausted: !this.#isOver,
    }
  }
}

function count<Name extends string>(counts: Partial<Record<Name, number>>, what: Name): void {
  counts[what] = (counts[what] ?? 0) + 1
}
