// @ts-nocheck
import { expect, it } from 'vitest'
import { linearize, type Operation, type State } from './linearizability.ts'

interface Register extends State {
  readonly value: number
}

const holding = (value: number): Register => ({ value, key: String(value) })
const at = (sentAtMs: number, answeredAtMs: number, after: Operation<Register>['after']) => ({
  ...{ sentAtMs, answeredAtMs, after },
})
const NEVER = Number.POSITIVE_INFINITY
const write = (value: number, sent: number, answered: number) => at(sent, answered, () => holding(value))
const read = (value: number, sent: number, answered: number) =>
  at(sent, answered, (state) => (state.value === value ? state : undefined))
const swap = (from: number, to: number, sent: number, answered: number) =>
  at(sent, answered, ({ value }) => (value === from ? holding(to) : undefined))

it.each<[string, readonly Operation<Register>[], boolean]>([
  ['a read after a write', [write(1, 0, 1), read(1, 2, 3)], true],
  ['a read of what was replaced', [write(1, 0, 1), write(2, 2, 3), read(1, 4, 5)], false],
  ['a read during a write, of the old value', [write(1, 0, 9), read(0, 1, 2)], true],
  ['a read during a write, of the new value', [write(1, 0, 9), read(1, 1, 2)], true],
  ['a new value and then the old one during a write', [write(1, 0, 9), read(1, 1, 2), read(0, 3, 4)], false],
  ['a value that was never written', [write(1, 0, 9), read(2, 1, 2)], false],
  ['two swaps of one value', [swap(0, 1, 0, 9), swap(0, 2, 0, 9)], false],
  ['swaps that only one order explains', [swap(1, 2, 0, 9), swap(0, 1, 0, 9), swap(2, 3, 0, 9)], true],
  ['a write without an answer, seen much later', [write(1, 0, NEVER), read(0, 1, 2), read(1, 8, 9)], true],
  ['a write without an answer, never seen', [write(1, 0, NEVER), read(0, 8, 9)], true],
  ['a write seen before it was sent', [read(1, 0, 1), write(1, 2, NEVER)], false],
])('%s', (_, operations, expected) => {
  expect(linearize(holding(0), operations) === undefined).toBe(expected)
})
