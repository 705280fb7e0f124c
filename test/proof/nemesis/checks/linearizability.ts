/**
 * Whether operations that overlapped in time can be put into one order that explains every answer: the question of Wing
 * and Gong ("Testing and verifying concurrent objects", 1993), answered in the way of Lowe ("Testing for linearizability",
 * 2017). Answers are taken in the order in which they came; before each, the operations under way are tried in every order
 * that makes it right. What is remembered is only the set of configurations: a state, and which of the operations still
 * under way have taken effect to reach it. So the memory needed does not grow with the history, a long one needs no
 * cutting, and the first answer that nothing explains is named.
 *
 * An operation that never changes anything, as a refused one, is taken as soon as it fits: whatever follows without it can
 * follow it too. So the many that are refused side by side are not tried in every order.
 *
 * Operations without an answer stay under way for ever. Two things keep their number from mattering: of several that are
 * alike only the first is tried, and of two ways to the same state the one that used up fewer of them is remembered, since
 * whatever follows the other can follow it too.
 */

interface Timed {
  readonly invokedAtMs: number
  /** Infinity where no answer came: it may take effect at any time after, or never. */
  readonly answeredAtMs: number
}

export interface Operation<State> extends Timed {
  /**
   * The state that the operation leaves behind; undefined where it cannot have happened in this one with the answer that it
   * got. Without an answer also where it would change nothing, which is the same as never.
   */
  after(state: State): State | undefined
  /** With its answer it leaves every state as it is. */
  readonly isReadOnly?: boolean
  /** Equal for operations without an answer that do the same. */
  readonly alike?: string | undefined
}

export interface WithKey {
  /** Equal for equal states. */
  readonly key: string
}

export type Linearization<State, Op> =
  | { readonly kind: 'linearizable'; readonly mostConfigurations: number }
  | { readonly kind: 'violation'; readonly operation: Op; readonly possible: readonly State[] }
  /** Too many orders to try: nothing is said about the history. */
  | { readonly kind: 'gaveUp'; readonly operation: Op; readonly steps: number }

interface Configuration<State, Op> {
  readonly state: State
  readonly done: ReadonlySet<Op>
}

export function linearize<State extends WithKey, Op extends Operation<State>>(
  initial: State,
  operations: readonly Op[],
  mostSteps = 3_000_000,
): Linearization<State, Op> {
  const search = new Search<State, Op>(initial, operations, mostSteps)
  for (const { op, isAnswer } of inOrder(operations)) {
    if (!isAnswer) search.invoke(op)
    else {
      const possible = search.states()
      if (!search.answer(op)) return { kind: 'violation', operation: op, possible }
      if (search.steps > mostSteps) return { kind: 'gaveUp', operation: op, steps: search.steps }
    }
  }
  return { kind: 'linearizable', mostConfigurations: search.mostConfigurations }
}

/** Where an answer and an invocation have the same time, the invocation counts as the earlier: more orders are allowed. */
function inOrder<Op extends Timed>(operations: readonly Op[]) {
  const invocations = operations.map((op) => ({ op, isAnswer: false, atMs: op.invokedAtMs }))
  const answers = operations
    .filter(({ answeredAtMs }) => Number.isFinite(answeredAtMs))
    .map((op) => ({ op, isAnswer: true, atMs: op.answeredAtMs }))
  return [...invocations, ...answers].toSorted((a, b) => a.atMs - b.atMs || Number(a.isAnswer) - Number(b.isAnswer))
}

class Search<State extends WithKey, Op extends Operation<State>> {
  steps = 0
  mostConfigurations = 1
  readonly #numbers: ReadonlyMap<Op, number>
  readonly #mostSteps: number
  readonly #underWay = new Set<Op>()
  #configurations: readonly Configuration<State, Op>[]

  constructor(initial: State, operations: readonly Op[], mostSteps: number) {
    this.#numbers = new Map(operations.map((op, number) => [op, number]))
    this.#mostSteps = mostSteps
    this.#configurations = [{ state: initial, done: new Set() }]
  }

  states(): readonly State[] {
    return [...new Map(this.#configurations.map(({ state }) => [state.key, state])).values()]
  }

  invoke(op: Op): void {
    this.#underWay.add(op)
  }

  /** Whether some order explains the answer of `op`. */
  answer(op: Op): boolean {
    const seen = new Set<string>()
    const explained = new Map<string, Configuration<State, Op>>()
    const open = [...this.#configurations]
    for (let some = open.pop(); some !== undefined && this.steps <= this.#mostSteps; some = open.pop()) {
      const next = this.#withReads(some)
      const key = this.#keyOf(next)
      if (seen.has(key)) continue
      seen.add(key)
      if (next.done.has(op)) {
        // No further: whatever is still under way may as well take effect later.
        const settled = { state: next.state, done: without(next.done, op) }
        explained.set(this.#keyOf(settled), settled)
      } else open.push(...this.#successors(next))
    }
    this.#underWay.delete(op)
    this.#configurations = this.#withoutWorse([...explained.values()])
    this.mostConfigurations = Math.max(this.mostConfigurations, this.#configurations.length)
    return explained.size > 0 || this.steps > this.#mostSteps
  }

  #withReads({ state, done }: Configuration<State, Op>): Configuration<State, Op> {
    const fitting = [...this.#underWay].filter((op) => {
      if (op.isReadOnly !== true || done.has(op)) return false
      this.steps++
      return op.after(state) !== undefined
    })
    return { state, done: new Set([...done, ...fitting]) }
  }

  #successors({ state, done }: Configuration<State, Op>): Configuration<State, Op>[] {
    const successors: Configuration<State, Op>[] = []
    const tried = new Set<string>()
    for (const op of this.#underWay) {
      if (op.isReadOnly === true || done.has(op) || (op.alike !== undefined && tried.has(op.alike))) continue
      if (op.alike !== undefined) tried.add(op.alike)
      this.steps++
      const after = op.after(state)
      if (after !== undefined) successors.push({ state: after, done: new Set([...done, op]) })
    }
    return successors
  }

  /** Leaves out every configuration that has used up all that another one with its state has, and more. */
  #withoutWorse(configurations: readonly Configuration<State, Op>[]): Configuration<State, Op>[] {
    const answered = ({ state, done }: Configuration<State, Op>) =>
      this.#keyOf({ state, done: new Set([...done].filter(({ answeredAtMs }) => Number.isFinite(answeredAtMs))) })
    return [...Map.groupBy(configurations, answered).values()].flatMap((group) => {
      const best: Configuration<State, Op>[] = []
      for (const next of group.toSorted((a, b) => a.done.size - b.done.size)) {
        if (!best.some(({ done }) => [...done].every((op) => next.done.has(op)))) best.push(next)
      }
      return best
    })
  }

  #keyOf({ state, done }: Configuration<State, Op>): string {
    const numbers = [...done].map((op) => this.#numbers.get(op) ?? -1).sort((a, b) => a - b)
    return `${state.key} ${numbers.join()}`
  }
}

function without<T>(set: ReadonlySet<T>, item: T): ReadonlySet<T> {
  const rest = new Set(set)
  rest.delete(item)
  return rest
}
