import { describe, expect, it } from 'vitest'
import type { Claim } from '../claims.ts'
import { minimal, shrink, type Trial } from './shrink.ts'

describe('minimal', () => {
  const all = Array.from({ length: 40 }, (_, nth) => nth)

  it.for([[[7]], [[3, 17]], [[0, 13, 39]], [[]]])(
    'finds the faults that it takes, and no others: %j',
    async ([needed = []]) => {
      const fails = async (some: readonly number[]) => needed.every((one) => some.includes(one))
      expect(await minimal(all, fails)).toEqual(needed)
    },
  )

  it('leaves nothing that could be left out, where several sets would do', async () => {
    const fails = async (some: readonly number[]) => some.length >= 3 && some.includes(20)
    const left = await minimal(all, fails)
    expect(left).toHaveLength(3)
    expect(left).toContain(20)
  })
})

describe('shrink', () => {
  /** A planted violation: it takes faults 3 and 17 and at least four ticks; without fault 5 another claim is broken. */
  async function run({ ticks, only }: Trial) {
    const faults = Array.from({ length: ticks * 5 }, (_, id) => ({ id })).filter(({ id }) => only?.has(id) ?? true)
    const has = (id: number) => faults.some((fault) => fault.id === id)
    const claim: Claim = has(5) || ticks > 4 ? 'S3' : 'S1'
    const violation = ticks >= 4 && has(3) && has(17) ? { claim, what: 'planted' } : undefined
    return { setting: { ticks }, faults, violation }
  }

  it('keeps the fewest ticks and faults that break the same claim', async () => {
    const { trial, result } = await shrink(1, await run({ seed: 1, ticks: 9 }), run)
    expect(trial.ticks).toBe(4)
    expect([...(trial.only ?? [])]).toEqual([3, 5, 17])
    expect(result.violation?.claim).toBe('S3')
  })
})
