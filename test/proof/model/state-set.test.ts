import { describe, expect, it } from 'vitest'
import { StateSet } from './state-set.ts'

describe('a set of states', () => {
  it('numbers what is new in order, and tells the number of what it has, however far it has grown', () => {
    const states = new StateSet(3, 2)
    const tuple = (n: number) => Int32Array.of(n, n % 7, -n)
    for (let n = 0; n < 5_000; n++) expect(states.add(tuple(n))).toBe(n)
    for (let n = 0; n < 5_000; n++) expect(states.add(tuple(n))).toBe(n)
    expect(states.size).toBe(5_000)
  })

  it('gives back what was put in', () => {
    const states = new StateSet(2, 2)
    states.add(Int32Array.of(1, 2))
    states.add(Int32Array.of(2, 1))
    const into = new Int32Array(2)
    states.read(1, into)
    expect([...into]).toEqual([2, 1])
  })
})
