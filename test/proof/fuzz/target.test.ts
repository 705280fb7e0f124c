import fc from 'fast-check'
import { expect, it, onTestFinished, vi } from 'vitest'
import { assert, target } from './target.ts'

class WrongNumber extends Error {}

/** Reads whole numbers up to ten, and does something else with 7 or more. */
const check = (onSeven: () => unknown) => {
  const read = (number: number) => {
    if (number > 10) throw new WrongNumber(`${number} is no number below ten`)
    return number >= 7 ? onSeven() : number
  }
  return target('a number', fc.integer({ min: 0, max: 20 }), read, [WrongNumber, /number/]).check({
    ...{ seed: 1, numRuns: 200 },
  })
}

const throws = (error: unknown) => () => {
  throw error
}
const takeLong = () => {
  vi.spyOn(process, 'threadCpuUsage').mockReturnValueOnce({ user: 2e6, system: 0 })
}

it.each<[string, () => unknown, RegExp]>([
  ['an error that is not documented', throws(new TypeError('no x')), /not a documented error: TypeError: no x/],
  ['a rejection', async () => Promise.reject(new RangeError('deep')), /RangeError: deep/],
  ['a message without what was wrong', throws(new WrongNumber('no')), /does not say what was wrong: no/],
  ['a long message', throws(new WrongNumber(`number ${'7'.repeat(5_000)}`)), /the message has 5007 characters/],
  ['an accepted value that is wrong', () => assert(false, '7 is odd'), /7 is odd/],
  ['a reader that can be kept busy', takeLong, /it took 2000 ms/],
])('fails for %s, and shows the smallest input', async (_, onSeven, message) => {
  onTestFinished(() => void vi.restoreAllMocks())
  const error: unknown = await check(onSeven).catch((thrown: unknown) => thrown)
  expect(String(error)).toMatch(message)
  expect(String(error)).toContain('Counterexample: [7]')
})
