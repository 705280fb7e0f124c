import { afterAll, expect, it } from 'vitest'
import { removeScratch } from './scratch.ts'
import { TARGETS } from './targets.ts'

// More of them, and other ones each time: npm run fuzz.
const SEED = 20261121
const RUNS = 150

afterAll(removeScratch)

it.each(TARGETS.map((target) => [target.name, target] as const))(
  '%s is read as documented or refused by name, whatever it is',
  async (_name, target) => {
    const { problem, accepted, refused } = await target.explore({ seed: SEED, runs: RUNS })
    expect(problem).toBeUndefined()
    expect(accepted).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(0)
  },
)
