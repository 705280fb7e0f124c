/** The real stack and its real bundles, with and without each protection, under the same faults. */
// @ts-nocheck

import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Interceptor } from '../../../infra/local/lambda-host/interceptor.ts'
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

  test('that is longer than an invocation continues in others, one of which is killed', async () => {
    // A fast machine would need thousands of customers.
    const slowGateway: Interceptor = async ({ service, body }, forward) => {
      if (service === 'lambda' && body['method'] === 'POST') await sleep(500)
      return forward()
    }
    const flags = '--customers 150 --ticks 1 --timeout 5s --kill-leader 1'
    const { summary, verdict, output } = await run(flags.split(' '), app, slowGateway)
    expect(verdict, output).toEqual(ALL_WELL)
    expect(summary, output).toMatchObject({ ...RIGHT, ticks: 1, completed: 1, tookOver: 1 })
    expect(output).toMatch(/150 charges/)
    const continued = output.match(/: continued in a new invocation$/gm) ?? []
    expect(continued.length, output).toBeGreaterThanOrEqual(2)
    expect(output.indexOf('leader killed'), output).toBeGreaterThan(output.indexOf(': continued'))
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
