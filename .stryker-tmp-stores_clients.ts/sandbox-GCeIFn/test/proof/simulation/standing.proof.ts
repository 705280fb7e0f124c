// @ts-nocheck
import './globals.ts' // before modules that keep a clock
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { Election, MemoryLeaseStore } from '../../../functions/election/index.ts'
import { ManualClock } from '../../../functions/election/testing/manual-clock.ts'
import { textOf } from '../result.ts'
import { costOfStandby } from './standing/costs.ts'
import { explore } from './standing/explore.ts'

const { PROOF_QUICK, PROOF_SEED, PROOF_SEEDS } = process.env
const isQuick = PROOF_QUICK === '1'
const from = Number(PROOF_SEED ?? 1)
/** Together more than 10,000 campaigns. */
const FULL = 850
const seeds = Number(PROOF_SEEDS ?? (isQuick ? 15 : FULL))
const MOST_GROWTH_BYTES = 1_000_000

it('servers that stand for a lease keep its promises, whatever fails', { timeout: 1_200_000 }, async ({ task }) => {
  const isFull = seeds >= FULL
  if (isFull) await explore({ from, seeds: 40 }) // all code is compiled
  const before = heapBytes()
  const { violations, figures } = await explore({ from, seeds })
  const grownBytes = heapBytes() - before
  task.meta.figures = figures
  expect(textOf(violations, 'Something is wrong')).toBe('')
  if (!isFull) return
  expect(figures.campaigns).toBeGreaterThan(10_000)
  expect(grownBytes).toBeLessThan(2 * MOST_GROWTH_BYTES) // a listener for each campaign would be more
})

it('a thousand campaigns leave no memory behind', { timeout: 300_000 }, async () => {
  const [store, clock] = [new MemoryLeaseStore(), new ManualClock()]
  await store.standing.read('jobs') // the SDK's first request reads files, which takes real time
  await campaigns(400, store, clock) // all code is compiled
  const before = heapBytes()
  await campaigns(1_000, store, clock)
  expect(heapBytes() - before).toBeLessThan(MOST_GROWTH_BYTES)
})

/** One after the other: each leads, and leaves. */
async function campaigns(count: number, store: MemoryLeaseStore, clock: ManualClock): Promise<void> {
  for (let nth = 0; nth < count; nth++) {
    const leave = new AbortController()
    const election = new Election({ store, clock, lease: 'jobs', candidate: `server-${nth % 3}` })
    const done = (async () => {
      for await (const { signal } of election.campaign({ signal: leave.signal })) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      }
    })()
    await clock.advance(3_500)
    leave.abort()
    await clock.advance(100)
    await done
  }
}

// A test that is skipped counts as failed in the proof.
if (!isQuick) {
  it.each([
    [3, 0.144, { forMs: 600_000 }],
    [100, 0.158, {}],
    [1_000, 0.18, { forMs: 30_000 }],
  ])('one of %d standbys costs %d USD a month, as docs/standing.md says', async (candidates, usd, options) => {
    expect((await costOfStandby(candidates, options)).usd).toBeCloseTo(usd, 2)
  })
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}
