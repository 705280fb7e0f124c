import fc from 'fast-check'
import { expect, it } from 'vitest'
import { linearize, type Operation, type WithKey } from './checks/linearizability.ts'

/** A register: `write` sets it, `read` gives what it holds, `swap` sets it only where it holds `expected`, and says whether. */
interface Register extends WithKey {
  readonly value: number
}
interface RegisterOperation extends Operation<Register> {
  readonly name: string
}

const holding = (value: number): Register => ({ value, key: String(value) })
const OPEN = Number.POSITIVE_INFINITY

const named = (name: string, invokedAtMs: number, answeredAtMs: number) => ({
  name,
  invokedAtMs,
  answeredAtMs,
  ...(answeredAtMs === OPEN ? { alike: name } : {}),
})

const write = (value: number, invokedAtMs: number, answeredAtMs: number): RegisterOperation => ({
  ...named(`write ${value}`, invokedAtMs, answeredAtMs),
  after: (state) => (answeredAtMs === OPEN && state.value === value ? undefined : holding(value)),
})
const read = (value: number, invokedAtMs: number, answeredAtMs: number): RegisterOperation => ({
  ...named(`read ${value}`, invokedAtMs, answeredAtMs),
  isReadOnly: answeredAtMs !== OPEN,
  after: (state) => (state.value === value && answeredAtMs !== OPEN ? state : undefined),
})
const swap = (
  expected: number,
  value: number,
  isDone: boolean,
  invokedAtMs: number,
  answeredAtMs: number,
): RegisterOperation => ({
  ...named(`swap ${expected} for ${value}: ${isDone}`, invokedAtMs, answeredAtMs),
  isReadOnly: answeredAtMs !== OPEN && !isDone,
  after: (state) => {
    const fits = state.value === expected
    if (answeredAtMs === OPEN) return fits && expected !== value ? holding(value) : undefined
    if (fits !== isDone) return undefined
    return fits ? holding(value) : state
  },
})

it('a read of what was written before is explained', () => {
  expect(linearize(holding(0), [write(1, 0, 1), read(1, 2, 3)]).kind).toBe('linearizable')
})

it('a read of what was overwritten before is not, and is named', () => {
  const stale = read(0, 2, 3)
  expect(linearize(holding(0), [write(1, 0, 1), stale])).toMatchObject({
    kind: 'violation',
    operation: stale,
    possible: [{ value: 1 }],
  })
})

it('of two writes that overlap either may be the last, but only one', () => {
  const writes = [write(1, 0, 9), write(2, 1, 8)]
  expect(linearize(holding(0), [...writes, read(1, 10, 11)]).kind).toBe('linearizable')
  expect(linearize(holding(0), [...writes, read(2, 10, 11)]).kind).toBe('linearizable')
  expect(linearize(holding(0), [...writes, read(1, 10, 11), read(2, 12, 13)]).kind).toBe('violation')
})

it('a write without an answer may take effect late, or never, but not twice', () => {
  const late = write(1, 0, OPEN)
  expect(linearize(holding(0), [late, read(0, 1, 2), read(1, 3, 4)]).kind).toBe('linearizable')
  expect(linearize(holding(0), [late, read(0, 1, 2), read(0, 3, 4)]).kind).toBe('linearizable')
  expect(linearize(holding(0), [late, read(1, 1, 2), write(0, 3, 4), read(1, 5, 6)]).kind).toBe('violation')
})

it('of tries that are alike as many may take effect as were sent, whichever they were', () => {
  const tries = [write(1, 0, OPEN), write(1, 1, OPEN)]
  const again = [read(1, 2, 3), write(0, 4, 5), read(1, 6, 7)]
  expect(linearize(holding(0), [...tries, ...again]).kind).toBe('linearizable')
  expect(linearize(holding(0), [...tries, ...again, write(0, 8, 9), read(1, 10, 11)]).kind).toBe('violation')
})

it('of many side by side that change nothing, the order is not tried', () => {
  const reads = Array.from({ length: 40 }, (_, n) => read(0, n, 100 + n))
  expect(linearize(holding(0), [...reads, write(1, 0, 200)], 10_000)).toMatchObject({ kind: 'linearizable' })
  expect(linearize(holding(0), [...reads, write(1, 0, 99), read(2, 300, 301)], 10_000).kind).toBe('violation')
})

it('a history with too many orders to try is left undecided', () => {
  const open = Array.from({ length: 12 }, (_, n) => swap(n, n + 1, true, 0, OPEN))
  const operations = [...open, read(-1, 1, 2)]
  expect(linearize(holding(0), operations, 20).kind).toBe('gaveUp')
})

it('it says the same as trying every order of all operations, whatever the history', () => {
  const value = fc.nat(2)
  const operation = fc
    .tuple(
      fc.constantFrom('write', 'read', 'swap'),
      value,
      value,
      fc.boolean(),
      fc.nat(12),
      fc.option(fc.nat(6), { freq: 4 }),
    )
    .map(([kind, a, b, isDone, invokedAtMs, tookMs]) => {
      const answeredAtMs = tookMs === null ? OPEN : invokedAtMs + tookMs
      if (kind === 'write') return write(a, invokedAtMs, answeredAtMs)
      return kind === 'read' ? read(a, invokedAtMs, answeredAtMs) : swap(a, b, isDone, invokedAtMs, answeredAtMs)
    })
  const verdicts = { linearizable: 0, violation: 0 }
  fc.assert(
    fc.property(fc.array(operation, { minLength: 2, maxLength: 6 }), (operations) => {
      const expected = hasOrder(holding(0), operations) ? 'linearizable' : 'violation'
      verdicts[expected]++
      expect(linearize(holding(0), operations).kind).toBe(expected)
    }),
    { seed: 20261121, numRuns: 2_000 },
  )
  expect(Math.min(verdicts.linearizable, verdicts.violation)).toBeGreaterThan(200)
})

/** The definition, by brute force: some order of them all, in which nothing precedes what had ended before it began. */
function hasOrder(state: Register, left: readonly RegisterOperation[]): boolean {
  if (left.every(({ answeredAtMs }) => answeredAtMs === OPEN)) return true
  const firstAnswerMs = Math.min(...left.map(({ answeredAtMs }) => answeredAtMs))
  return left.some((op) => {
    if (op.invokedAtMs > firstAnswerMs) return false
    const after = op.after(state)
    return (
      after !== undefined &&
      hasOrder(
        after,
        left.filter((other) => other !== op),
      )
    )
  })
}
