/**
 * Whether operations that overlapped in time have an order that explains every answer: the question of Wing and Gong
 * ("Testing and verifying concurrent objects", 1993), answered as Lowe does ("Testing for linearizability", 2017).
 * Answers are taken in the order in which they came; before each, the operations under way are tried in every order.
 * Only the possible configurations are kept, so that a history may be long: a state, and which of the operations under
 * way have taken effect to reach it.
 */
// @ts-nocheck


export interface State {
  /** Equal for equal states. */
  readonly key: string
}

export interface Operation<S extends State> {
  readonly sentAtMs: number
  /** Infinity if no answer came: it may take effect at any time after, or never. */
  readonly answeredAtMs: number
  /** The state after the operation; undefined if it cannot have had its answer in this state. */
  after(state: S): S | undefined
}

interface Configuration<S extends State, Op> {
  readonly state: S
  readonly done: ReadonlySet<Op>
}

/** @returns the first operation whose answer no order explains */
export function linearize<S extends State, Op extends Operation<S>>(
  initial: S,
  operations: readonly Op[],
): Op | undefined {
  const numbers = new Map(operations.map((operation, number) => [operation, number]))
  const keyOf = ({ state, done }: Configuration<S, Op>) =>
    `${state.key} ${[...done].map((operation) => numbers.get(operation)).toSorted()}`
  const underWay = new Set<Op>()
  let configurations: readonly Configuration<S, Op>[] = [{ state: initial, done: new Set() }]
  for (const { operation, isAnswer } of inOrder<S, Op>(operations)) {
    if (!isAnswer) {
      underWay.add(operation)
      continue
    }
    configurations = explain(operation)
    if (configurations.length === 0) return operation
    underWay.delete(operation)
  }
  return undefined

  /** All configurations in which the operation has taken effect; it is left out of them, for it never comes again. */
  function explain(answered: Op): readonly Configuration<S, Op>[] {
    const explained = new Map<string, Configuration<S, Op>>()
    const seen = new Set<string>()
    const open = [...configurations]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { state, done } = next
      const key = keyOf(next)
      if (seen.has(key)) continue
      seen.add(key)
      if (done.has(answered)) {
        const settled = { state, done: new Set([...done].filter((operation) => operation !== answered)) }
        explained.set(keyOf(settled), settled)
        continue
      }
      for (const operation of underWay) {
        const after = done.has(operation) ? undefined : operation.after(state)
        if (after !== undefined) open.push({ state: after, done: new Set([...done, operation]) })
      }
    }
    return [...explained.values()]
  }
}

/** If an answer and a request have the same time, the request counts as the earlier: more orders are possible. */
function inOrder<S extends State, Op extends Operation<S>>(operations: readonly Op[]) {
  const sent = operations.map((operation) => ({ operation, isAnswer: false, atMs: operation.sentAtMs }))
  const answered = operations
    .filter(({ answeredAtMs }) => Number.isFinite(answeredAtMs))
    .map((operation) => ({ operation, isAnswer: true, atMs: operation.answeredAtMs }))
  return [...sent, ...answered].toSorted((a, b) => a.atMs - b.atMs || Number(a.isAnswer) - Number(b.isAnswer))
}
