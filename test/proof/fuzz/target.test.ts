import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Broken, target } from './target.ts'

class WrongNumber extends Error {}

/** Reads whole numbers, and does what it is told to with 7. */
async function problemOf(onSeven: () => unknown, documented = WrongNumber): Promise<string | undefined> {
  const { problem } = await target({
    name: 'a number',
    inputs: fc.integer({ min: 0, max: 20 }),
    read: (number) => {
      if (number === 7) return onSeven()
      if (number > 10) throw new WrongNumber(`${number} is no number below ten`)
      return number
    },
    refusals: [{ type: documented, says: /number/ }],
  }).explore({ seed: 1, runs: 200 })
  return problem?.what
}

const throws = (error: unknown) => () => {
  throw error
}

it('finds nothing wrong with values and with documented errors', async () => {
  expect(await problemOf(() => 7)).toBeUndefined()
  expect(await problemOf(throws(new WrongNumber('no such number')))).toBeUndefined()
})

it('finds an error that is not documented', async () => {
  expect(await problemOf(throws(new TypeError('x is undefined')))).toBe(
    'not a documented error: TypeError: x is undefined',
  )
  expect(await problemOf(throws('seven'))).toMatch(/not a documented error: thrown was 'seven'/)
  expect(await problemOf(throws(undefined))).toMatch(/not a documented error/)
  expect(await problemOf(async () => Promise.reject(new RangeError('deep')))).toMatch(/RangeError/)
})

it('finds a message that does not say what was wrong, and one that is as long as the input', async () => {
  expect(await problemOf(throws(new WrongNumber('no')))).toBe('the message does not say what was wrong: no')
  expect(await problemOf(throws(new WrongNumber(`number ${'7'.repeat(5_000)}`)))).toMatch(
    /^the message has 5007 characters/,
  )
})

it('finds what was accepted and is not as documented', async () => {
  expect(await problemOf(throws(new Broken('7 is odd')))).toBe('7 is odd')
})

it('finds a rejection that nobody handled', async () => {
  const lose = () => void Promise.resolve().then(throws(new Error('lost')))
  expect(await problemOf(lose)).toMatch(/rejections that nobody handled, the first: Error: lost/)
})

it('finds a reader that can be kept busy', async () => {
  const { problem } = await target({
    name: 'x',
    inputs: fc.constantFrom(1, 5_000_000),
    read: (turns) => {
      let sum = 0
      for (let turn = 0; turn < turns; turn++) sum += Math.sqrt(turn)
      return sum
    },
    refusals: [],
    longestMs: 2,
  }).explore({ seed: 1, runs: 20 })
  expect(problem?.what).toMatch(/^it took \d+ ms/)
})

it('finds a change of what all objects inherit', async () => {
  const pollute = () => Object.defineProperty(Object.prototype, 'polluted', { value: true, configurable: true })
  try {
    expect(await problemOf(pollute)).toBe('what all objects inherit was changed')
  } finally {
    Reflect.deleteProperty(Object.prototype, 'polluted')
  }
})

it('finds a generator that only makes right inputs, or only wrong ones', async () => {
  const of = (read: () => void) =>
    target({ name: 'x', inputs: fc.nat(), read, refusals: [{ type: WrongNumber, says: /number/ }] })
  const always = await of(() => {}).explore({ seed: 1, runs: 5 })
  const never = await of(throws(new WrongNumber('no number'))).explore({ seed: 1, runs: 5 })
  expect([always.accepted, always.refused, always.problem?.what]).toEqual([5, 0, expect.stringContaining('refused')])
  expect([never.accepted, never.refused, never.problem?.what]).toEqual([0, 5, expect.stringContaining('accepted')])
})

it('shows the smallest input that it found', async () => {
  const { problem } = await target({
    name: 'x',
    inputs: fc.nat(),
    read: (number) => {
      if (number >= 42) throw new TypeError('too much')
      if (number > 3) throw new WrongNumber('no number')
    },
    refusals: [{ type: WrongNumber, says: /number/ }],
  }).explore({ seed: 1, runs: 100 })
  expect(problem?.input).toBe('42')
})
