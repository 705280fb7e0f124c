// @ts-nocheck
import type { LeaseRecord } from '../../../functions/election/rules.ts'
import type { Claim } from '../claims.ts'
import type { Result, Violation } from '../result.ts'
import { checkBelief, checkRow } from './claims.ts'
import { initialState, type Model, type Rules, SHIPPED } from './model.ts'
import { SITUATIONS, type Situation } from './situations.ts'
import { type Candidate, keyOf, type Ledger, networkKey, rowKey, type State } from './state.ts'
import { steps } from './steps.ts'
import { fullWorlds, labelOf, quickWorlds, START_MS, tickNumber, type World } from './world.ts'

type Exploration = ReturnType<typeof searchWorld>

/** Searches all states of a world, breadth first. */
export function searchWorld(world: World, rules: Rules = SHIPPED) {
  return new Search(world, rules).run()
}

/** The numbers of a state's parts: equal states have equal numbers. */
type Ids = readonly number[]

class Search {
  readonly #world: World
  readonly #model: Model
  readonly #rows = new Interner(rowKey)
  readonly #networks = new Interner(networkKey)
  readonly #ledgers = new Interner<Ledger>(keyOf)
  readonly #candidates = new Interner<Candidate>(keyOf)
  readonly #states: Ids[] = []
  readonly #known = new Set<string>()
  /** The state from which each was first reached. */
  readonly #parents: number[] = []
  /** The step by which it was. */
  readonly #steps: number[] = []
  readonly #sentences = new Interner((sentence: string) => sentence)
  readonly #checkedRows = new Set<string>()
  /** The first history that breaks each claim, which is a shortest one. */
  readonly #violations = new Map<Claim, Violation>()
  readonly #reached = new Set<Situation>()
  #pending: { readonly claim: Claim; readonly what: string }[] = []
  /** A claim that must hold ends the search when it breaks. */
  #isOver = false

  constructor(world: World, rules: Rules) {
    this.#world = world
    this.#model = {
      world,
      rules,
      reached: (situation) => void this.#reached.add(situation),
      broke: (claim, what) => void this.#pending.push({ claim, what }),
    }
  }

  run() {
    let taken = 0
    this.#add(this.#idsOf(initialState(this.#world)), 0, () => '')
    for (let current = 0; current < this.#states.length && !this.#isOver; current++) {
      const ids = this.#states[current] ?? []
      const state = this.#stateOf(ids)
      steps(this.#model, state, (move, after, from, detail) => {
        taken++
        const next = this.#idsOf(after, state, ids)
        const step = () => this.#describeStep(move, after, from, detail)
        if (this.#add(next, current, step)) this.#check(after, next)
        if (this.#pending.length > 0) this.#keepViolations(current, after, step())
      })
    }
    const { length: states } = this.#states
    return { states, steps: taken, violations: this.#violations, reached: this.#reached, isExhausted: !this.#isOver }
  }

  /** Parts that the step from `before` did not change keep their numbers. */
  #idsOf(state: State, before?: State, ids: Ids = []): Ids {
    const { timeMs, row, network, ledger, candidates } = state
    const [, rowId = 0, networkId = 0, ledgerId = 0] = ids
    return [
      timeMs,
      row === before?.row && before !== undefined ? rowId : this.#rows.idOf(row),
      network === before?.network ? networkId : this.#networks.idOf(network),
      ledger === before?.ledger ? ledgerId : this.#ledgers.idOf(ledger),
      ...candidates.map((candidate, index) =>
        candidate === before?.candidates[index] ? (ids[index + 4] ?? 0) : this.#candidates.idOf(candidate),
      ),
    ]
  }

  #stateOf([timeMs = 0, row = 0, network = 0, ledger = 0, ...candidates]: Ids): State {
    return {
      timeMs,
      row: this.#rows.valueOf(row),
      candidates: candidates.map((id) => this.#candidates.valueOf(id)),
      network: this.#networks.valueOf(network),
      ledger: this.#ledgers.valueOf(ledger),
    }
  }

  /** @returns whether the state is new */
  #add(ids: Ids, parent: number, step: () => string): boolean {
    const before = this.#known.size
    if (this.#known.add(ids.join()).size === before) return false
    this.#states.push(ids)
    this.#parents.push(parent)
    this.#steps.push(this.#sentences.idOf(step()))
    return true
  }

  #check(state: State, [timeMs, rowId]: Ids): void {
    checkBelief(this.#model, state)
    const rowAndTime = `${rowId} ${timeMs}` // shared by many states
    if (this.#checkedRows.has(rowAndTime)) return
    this.#checkedRows.add(rowAndTime)
    checkRow(this.#model, state.row, state.timeMs)
  }

  #keepViolations(parent: number, after: State, lastStep: string): void {
    const { hold, broken } = this.#world.claims
    for (const { claim, what } of this.#pending.splice(0)) {
      if (this.#violations.has(claim) || !(hold.includes(claim) || broken.includes(claim))) continue
      const trace = [...this.#traceTo(parent), lastStep, `the row: ${describeRow(after.row)}`]
      this.#violations.set(claim, { claim, what: `${this.#world.name}: ${what}`, trace })
      if (hold.includes(claim)) this.#isOver = true
    }
  }

  #traceTo(state: number): readonly string[] {
    const ids = this.#states[state] ?? []
    const parent = this.#parents[state] ?? 0
    const before = state === 0 ? [] : [...this.#traceTo(parent), this.#sentences.valueOf(this.#steps[state] ?? 0)]
    const isSame = state !== 0 && this.#states[parent]?.[1] === ids[1]
    return isSame ? before : [...before, `the row: ${describeRow(this.#stateOf(ids).row)}`]
  }

  #describeStep(move: string, { timeMs }: State, from: number | undefined, detail: string | undefined): string {
    if (move === 'time passes') return `time passes: it is ${(timeMs - START_MS) / 1000} s`
    const subject = from === undefined ? '' : `${labelOf(this.#world, from)}: `
    return `${subject}${move}${detail === undefined ? '' : ` (${detail})`}`
  }
}

/** Gives equal values one small number and one object. */
class Interner<T> {
  readonly #keyOf: (value: T) => string
  readonly #ids = new Map<string, number>()
  readonly #entries: { readonly value: T }[] = []

  constructor(keyOf: (value: T) => string) {
    this.#keyOf = keyOf
  }

  idOf(value: T): number {
    const key = this.#keyOf(value)
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    const id = this.#entries.push({ value }) - 1
    this.#ids.set(key, id)
    return id
  }

  valueOf(id: number): T {
    const entry = this.#entries[id]
    if (entry === undefined) throw new RangeError(`There is no value ${id}.`)
    return entry.value
  }
}

/** Times are seconds since the world began. */
function describeRow(row: LeaseRecord | undefined): string {
  if (row === undefined) return 'does not exist'
  const { holder, fencingToken, attempt, expiresAtMs, writtenAtMs, step, tick, completedTick, endedBy } = row
  const { reservedBy, reservedFor, reservedUntilMs = 0, pausedUntilMs } = row
  const seconds = (timeMs: number) => `${(timeMs - START_MS) / 1000} s`
  const led = holder === undefined ? `vacant (${endedBy})` : `held by ${holder}`
  const done = tickNumber(completedTick) === 0 ? '' : `, tick ${tickNumber(completedTick)} completed`
  const isReserved = reservedBy === fencingToken && holder === undefined
  const reserved = isReserved ? `, reserved for ${reservedFor} until ${seconds(reservedUntilMs)}` : ''
  const paused = pausedUntilMs === undefined ? '' : `, paused until ${seconds(pausedUntilMs)}`
  return (
    `${led}, attempt ${attempt}, token ${fencingToken}, tick ${tickNumber(tick)}${done}, ` +
    `expires ${seconds(expiresAtMs)}, written ${seconds(writtenAtMs)}, step ${step}${reserved}${paused}`
  )
}

/** Explores every order of events in small worlds under the shipped rules, and stops at the first broken claim. */
export async function explore({ quick }: { readonly quick: boolean }) {
  const worlds = quick ? quickWorlds() : fullWorlds()
  const violations: Violation[] = []
  const seenToBreak: { claim: NonNullable<Violation['claim']>; how: string }[] = []
  const reached = new Set<Situation>()
  let [explored, states, steps] = [0, 0, 0]
  for (const world of worlds) {
    const exploration = searchWorld(world)
    explored++
    states += exploration.states
    steps += exploration.steps
    for (const what of exploration.reached) reached.add(what)
    violations.push(...violationsIn(world, exploration))
    for (const claim of world.claims.broken) {
      const { trace = [] } = exploration.violations.get(claim) ?? {}
      const how = `${world.name}, in ${trace.filter((line) => !line.startsWith('the row')).length} steps`
      if (trace.length > 0) seenToBreak.push({ claim, how })
    }
    if (violations.length > 0) break
    await new Promise((resolve) => setImmediate(resolve)) // lets the test runner report
  }
  const figures = { worlds: `${explored} of ${worlds.length}`, states, steps }
  const unreached = SITUATIONS.filter((what) => !reached.has(what))
  return { violations, figures, seenToBreak, unreached } satisfies Result & { readonly unreached: unknown }
}

function violationsIn({ name, claims }: World, { violations, isExhausted }: Exploration): readonly Violation[] {
  const broken = claims.hold.flatMap((claim) => violations.get(claim) ?? [])
  // If nothing breaks beyond a claim's precondition, the check is blind or the world too small.
  const unbroken = isExhausted ? claims.broken.filter((claim) => !violations.has(claim)) : []
  return [...broken, ...unbroken.map((claim) => ({ what: `${name}: ${claim} must break there, but holds`, trace: [] }))]
}
