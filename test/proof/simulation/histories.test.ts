import './globals.ts' // before anything that keeps a clock for itself
import { describe, expect, it } from 'vitest'
import { live } from './history.ts'
import { REGRESSIONS } from './regressions.ts'

describe('a history', () => {
  it.for([
    [3, 5],
    [6, 5],
    [10, 5],
    [1092, 11],
  ] as const)(
    'is to the byte the same past the layers of the AWS SDK and through them: seed %i',
    async ([seed, ticks]) => {
      const past = await live({ seed, ticks, wholeSdk: false })
      const through = await live({ seed, ticks, wholeSdk: true })
      expect(past.faults).not.toHaveLength(0)
      expect(past.lines).toEqual(through.lines)
      expect(past.fingerprint()).toBe(through.fingerprint())
    },
  )

  it.for([1, 2, 3])('holds every claim while things go wrong: seed %i', async (seed) => {
    const { violation, faults } = await live({ seed, ticks: 12 })
    expect(faults).not.toHaveLength(0)
    expect(violation).toBeUndefined()
  })

  it('keeps what it has of its faults, where some are left out', async () => {
    const all = await live({ seed: 12, ticks: 6 })
    const ids = all.faults.map(({ id }) => id)
    const half = new Set(ids.filter((_, nth) => nth % 2 === 0))
    const some = await live({ seed: 12, ticks: 6, only: half })
    expect(some.faults.length).toBeGreaterThan(0)
    for (const { id } of some.faults) expect(half).toContain(id)
    const none = await live({ seed: 12, ticks: 2, only: new Set() })
    expect(none.faults).toEqual([])
    expect(none.violation).toBeUndefined()
  })

  it.for(REGRESSIONS)('holds every claim where it once found: $found', async ({ seed, ticks, faults }) => {
    const { violation } = await live({ seed, ticks, only: faults === undefined ? undefined : new Set(faults) })
    expect(violation).toBeUndefined()
  })
})
