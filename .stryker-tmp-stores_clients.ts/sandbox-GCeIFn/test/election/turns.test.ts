// @ts-nocheck
import { expect, it } from 'vitest'
import { settled } from '../../functions/election/testing/manual-clock.ts'
import { Turns } from '../../functions/election/turns.ts'

it('one whose patience ends goes without a turn, and the turn that it waited for goes to the next', async () => {
  const turns = new Turns(1)
  const begun: number[] = []
  const gates = [0, 1, 2].map(() => Promise.withResolvers<void>())
  const patience = Promise.withResolvers<void>()
  const take = (nth: number, options = {}) =>
    turns.take(async () => {
      begun.push(nth)
      await gates[nth]?.promise
    }, options)
  const taken = [take(0), take(1, { ahead: true, patience: () => patience.promise }), take(2)]
  for (const [done, expected] of [
    [undefined, [0]],
    [patience, [0, 1]],
    [gates[1], [0, 1]],
    [gates[0], [0, 1, 2]],
  ] as const) {
    done?.resolve()
    await settled()
    expect(begun).toEqual(expected)
  }
  gates[2]?.resolve()
  await Promise.all(taken)
  await turns.take(async () => void begun.push(3))
  expect(begun.at(-1)).toBe(3)
})
