import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Clock, type Lease, withLease } from '../../functions/election/index.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import { Network } from './network.ts'

const LEASE_MS = 10_000
const SKEW_MS = 1_000
const TICKS = ['2026-11-21T03:00:00.000Z', '2026-11-21T04:00:00.000Z', '2026-11-21T05:00:00.000Z']

const small = fc.nat(7)
const action = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('start' as const),
      tick: fc.constantFrom(...TICKS),
      skewMs: fc.integer({ min: -SKEW_MS / 2, max: SKEW_MS / 2 }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('deliver' as const), nth: small }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('loseReply' as const, 'drop' as const, 'retry' as const), nth: small }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('deliverCopy' as const), nth: fc.nat(60) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(1, 500, 3_400, 10_000, 12_001) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('finish' as const, 'fail' as const, 'crash' as const), nth: small }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('effect' as const), nth: small }) },
)

/** A candidate's own clock, wrong by a constant within the budget. */
function skewed(clock: Clock, byMs: number): Clock {
  return {
    wallMs: () => clock.wallMs() + byMs,
    monotonicMs: () => clock.monotonicMs(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  }
}

interface Tenant {
  readonly lease: Lease
  readonly tick: string
  readonly end: PromiseWithResolvers<void>
  crashed: boolean
}

it('whatever the network, the clocks and the candidates do: one leader at a time, no token twice, no tick done twice, no stale effect', async () => {
  const seen = { tenures: 0, completed: 0, takeovers: 0, effects: 0, refused: 0, lost: 0 }

  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 30, maxLength: 90 }), async (actions) => {
      const clock = new ManualClock('2026-11-21T06:00:00.000Z')
      const network = new Network()
      const tenants: Tenant[] = []
      const completed: string[] = []
      let highestEffect = 0
      let candidates = 0

      const start = (tick: string, skewMs: number) => {
        const options = {
          store: network.store(),
          lease: 'billing',
          candidate: `candidate-${candidates++}`,
          tick,
          leaseMs: LEASE_MS,
          maxClockSkewMs: SKEW_MS,
          clock: skewed(clock, skewMs),
        }
        const outcome = withLease(options, (lease) => {
          expect(completed, 'a completed tick was granted again').not.toContain(tick)
          for (const other of tenants) expect(other.lease.fencingToken).toBeLessThan(lease.fencingToken)
          if (tenants.at(-1)?.crashed) seen.takeovers++
          seen.tenures++
          const tenant = { lease, tick, end: Promise.withResolvers<void>(), crashed: false }
          tenants.push(tenant)
          return tenant.end.promise
        })
        outcome.then(
          ({ status }) => {
            if (status !== 'completed') return
            seen.completed++
            completed.push(tick)
          },
          () => {
            seen.lost++
          },
        )
      }
      const leading = () => tenants.filter(({ lease }) => lease.remainingMs() > 0)
      const pick = (nth: number) => tenants.at(-1 - (nth % Math.max(1, tenants.length)))

      for (const next of actions) {
        switch (next.do) {
          case 'start':
            start(next.tick, next.skewMs)
            break
          case 'advance':
            await clock.advance(next.ms)
            break
          case 'finish':
            if (pick(next.nth)?.crashed === false) pick(next.nth)?.end.resolve()
            break
          case 'fail':
            if (pick(next.nth)?.crashed === false) pick(next.nth)?.end.reject(new Error('task failed'))
            break
          case 'crash': {
            // A crashed process neither ends its task nor renews: as good as a network that swallows all it sends.
            const tenant = pick(next.nth)
            if (tenant !== undefined) tenant.crashed = true
            break
          }
          case 'effect': {
            // A protected row that keeps the highest token: what lease.fence() makes DynamoDB check.
            const tenant = pick(next.nth)
            if (tenant === undefined) break
            if (tenant.lease.fencingToken < highestEffect) seen.refused++
            else {
              highestEffect = tenant.lease.fencingToken
              seen.effects++
            }
            break
          }
          default:
            await network[next.do](next.nth)
        }
        await settled()
        expect(leading().length, 'two leaders at once').toBeLessThanOrEqual(1)
        expect(new Set(completed).size, 'a tick completed twice').toBe(completed.length)
      }
    }),
    { seed: 20261121, numRuns: 250 },
  )

  // The property would hold where nothing ever happens.
  for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(10)
})
