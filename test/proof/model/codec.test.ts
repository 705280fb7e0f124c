import { describe, expect, it } from 'vitest'
import { Codec } from './codec.ts'
import { initialState, type Model, SHIPPED } from './model.ts'
import { steps } from './moves.ts'
import type { State } from './state.ts'
import { smallWorld } from './worlds.ts'

const world = smallWorld()
const model: Model = { world, rules: SHIPPED, saw: () => {}, broke: () => {} }

describe('a state as numbers', () => {
  it('comes back as it was, and the same by whichever step it was reached', () => {
    const codec = new Codec(world.candidates.length)
    const [before, whole, next] = [0, 0, 0].map(() => new Int32Array(codec.width))
    if (before === undefined || whole === undefined || next === undefined) throw new Error('unreachable')
    for (const state of firstStates(300)) {
      codec.encode(state, before)
      expect(codec.decode(before)).toEqual(state)
      steps(model, state, (_kind, after) => {
        codec.encodeNext(after, next, state, before)
        codec.encode(after, whole)
        expect(next).toEqual(whole)
      })
    }
  })

  it('tells apart what differs in any part', () => {
    const codec = new Codec(world.candidates.length)
    const seen = new Map<string, State>()
    const tuple = new Int32Array(codec.width)
    for (const state of firstStates(300)) {
      codec.encode(state, tuple)
      const known = seen.get(tuple.join())
      if (known === undefined) seen.set(tuple.join(), state)
      else expect(state).toEqual(known)
    }
    expect(seen.size).toBeGreaterThan(100)
  })
})

/** As a search without a memory reaches them: some of them several times. */
function firstStates(most: number): readonly State[] {
  const found = [initialState(world)]
  for (const state of found) {
    if (found.length < most) steps(model, state, (_kind, after) => void found.push(after))
  }
  return found.slice(0, most)
}
