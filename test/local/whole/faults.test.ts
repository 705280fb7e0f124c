/** The real stack and its real bundles, with and without each protection, under the same faults. */
import { beforeAll, describe, expect, test } from 'vitest'
import { appCommand } from '../../../infra/local/stack/synthesize.ts'
import { ALL_WELL, ROOT, run, synthesizeOnce } from './runs.ts'

let app: string
beforeAll(async () => {
  app = await synthesizeOnce({ app: await appCommand(ROOT) })
})

const RIGHT = { completedTwice: 0, duplicateCharges: 0, dueNotCharged: 0, wrongCharges: 0, lostUpdates: 0 }

const runWith = (flags: string) => run(flags.split(' '), app)

// Chaos is in .ci/run.
describe.concurrent('a whole run', { timeout: 240_000 }, () => {
  test('is right to the cent if leaders are frozen and killed at the worst moments', async () => {
    const { summary, verdict, output } = await runWith('--freeze-leader 1 --kill-leader 2 --ticks 3')
    expect(verdict, output).toEqual(ALL_WELL)
    expect(summary, output).toMatchObject({ ...RIGHT, ticks: 3, completed: 3 })
    expect(summary.tookOver, output).toBeGreaterThanOrEqual(2)
    expect(summary.staleWritesRefused, output).toBeGreaterThanOrEqual(1)
    expect(output).toMatch(/the fence refused \d+ writes? of replaced leaders/)
    expect(output).toContain('✓ All is well: everything due was charged once')
  })

  test('without the lease has ticks that all candidates complete, and says so', async () => {
    const { summary, verdict, output } = await runWith('--without lease --ticks 1 --customers 3')
    expect(summary.completedTwice, output).toBeGreaterThanOrEqual(1)
    expect(verdict.harm, output).toEqual([expect.stringContaining('without the lease: ')])
    expect(verdict.errors.join(), output).toContain('completed more than once')
    expect(output).toMatch(/Switched off: the lease/)
    expect(output).toContain('without the lease: ')
  })

  test('without the fence lets a frozen leader overwrite what its successor wrote, and says so', async () => {
    // One customer: a condition of billing's own might refuse further late writes.
    const { summary, verdict, output } = await runWith('--without fence --ticks 1 --customers 1')
    expect(summary, output).toMatchObject({ lostUpdates: 1, tookOver: 1, duplicateCharges: 0, staleWritesRefused: 0 })
    expect(verdict.harm, output).toEqual(['without the fence: 1 charge overwritten in the ledger by a replaced leader'])
    expect(verdict.errors.join(), output).toContain('gateway and ledger disagree on 1 charge')
  })

  test('without the key charges twice if a leader dies before the reply, and says so', async () => {
    const { summary, verdict, output } = await runWith('--without key --ticks 1 --customers 3')
    expect(summary, output).toMatchObject({ tookOver: 1, dueNotCharged: 0, completedTwice: 0 })
    expect(verdict.harm, output).toEqual([expect.stringMatching(/^without the key: \d+ duplicate charges?$/)])
    expect(verdict.errors.join(), output).toMatch(/[1-9]\d* duplicate charge/)
  })
})
