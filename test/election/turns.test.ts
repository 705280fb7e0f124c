import { expect, it } from 'vitest'
import { settled } from '../../functions/election/testing/manual-clock.ts'
import { Turns } from '../../functions/election/turns.ts'

it('one request is on its way at a time, in the order in which they came, but for those that go ahead', async () => {
  const turns = new Turns(1)
  const begun: string[] = []
  const gates = new Map<string, PromiseWithResolvers<string>>()
  const take = (name: string, options?: { ahead: boolean }) =>
    turns.take(() => {
      begun.push(name)
      const gate = Promise.withResolvers<string>()
      gates.set(name, gate)
      return gate.promise
    }, options)
  const taken = [take('a'), take('b'), take('c'), take('d', { ahead: true }), take('e', { ahead: true })]
  const outcomes = Promise.allSettled(taken)
  for (const [nth, name] of ['a', 'd', 'e', 'b', 'c'].entries()) {
    await settled()
    expect(begun).toHaveLength(nth + 1)
    expect(begun.at(-1)).toBe(name)
    if (name === 'd') gates.get(name)?.reject(new Error('d fails'))
    else gates.get(name)?.resolve(name)
  }
  const statuses = (await outcomes).map(({ status }) => status)
  expect(statuses).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
  await expect(turns.take(async () => 'free again')).resolves.toBe('free again')
})

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

it('as many are on their way at a time as were asked for, and one that could not even begin frees its turn', async () => {
  const turns = new Turns(2)
  const begun: string[] = []
  const take = (name: string) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const taken = turns.take(() => {
      begun.push(name)
      if (name === 'c') throw new Error('not begun')
      return promise
    })
    return { taken, resolve }
  }
  const [a, b, c, d] = [take('a'), take('b'), take('c'), take('d')]
  expect(begun).toEqual(['a', 'b'])
  b.resolve()
  await expect(c.taken).rejects.toThrow('not begun')
  await settled()
  expect(begun).toEqual(['a', 'b', 'c', 'd'])
  for (const { resolve } of [a, d]) resolve()
  await Promise.all([a.taken, d.taken])
})
