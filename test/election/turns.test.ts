import { expect, it } from 'vitest'
import { Turns } from '../../functions/election/turns.ts'
import { settled } from '../support/manual-clock.ts'

it('one request is on its way at a time, in the order in which they came, but for those that go ahead', async () => {
  const turns = new Turns()
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
