import fc from 'fast-check'
import { expect, inject, it } from 'vitest'
import { DynamoDBLeaseStore } from '../../functions/election/index.ts'
import type { Tenure } from '../../functions/election/rules.ts'
import { type Request, send } from '../../functions/election/testing/conformance.ts'
import {
  acquireRequest,
  holderWrite,
  NOW_MS,
  tenureOf,
  ticklessRequest,
  WRITE_KINDS,
} from '../../functions/election/testing/requests.ts'
import { RulesStore } from '../../functions/election/testing/rules-store.ts'
import { editRow, leaseRow } from '../support/lease-row.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'

// Few values, close together, so that conditions are met and missed by a hair.
const ticks = ['2026-11-21T03:00:00.000Z', '2026-11-21T04:00:00.000Z', '2026-11-21T05:00:00.000Z']
const who = fc.constantFrom('ann', 'bob', 'cy')
const elapsedMs = fc.constantFrom(0, 1, 999, 1_000, 1_001, 5_000, 15_999, 16_000, 16_001)

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      ...{ do: fc.constant('acquire' as const), who, elapsedMs },
      tick: fc.option(fc.constantFrom(...ticks), { nil: undefined, freq: 8 }),
      eventId: fc.option(fc.constantFrom('event-1', 'event-2'), { nil: undefined }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      ...{ do: fc.constant('write' as const), who, elapsedMs: fc.constantFrom(0, 1, 1_000) },
      ...{ kind: fc.constantFrom(...WRITE_KINDS), tick: fc.constantFrom(...ticks) },
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('giveBack' as const), who }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('copy' as const), of: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pause' as const), forMs: fc.constantFrom(0, 1_000, 20_000) }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** Some 9,000 requests, one after the other: 7 s alone, and 30 s beside the race of fifty processes. */
const TIMEOUT_MS = 120_000

it(
  'DynamoDB gives the same answers as the pure rules to random requests, delayed copies included',
  async () => {
    const client = localClient(inject('dynamodbEndpoint'))
    const tableName = await createLeaseTable(client)
    const grants = new Map<string, number>()
    let run = 0

    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps: Step[]) => {
        const lease = `run-${run++}`
        const rules = new RulesStore()
        const dynamodb = new DynamoDBLeaseStore({ tableName, client })
        const tenures = new Map<string, Tenure>()
        const history: Request[] = []
        let nowMs = NOW_MS
        let count = 0

        const toRequest = (next: Exclude<Step, { do: 'pause' }>): Request | undefined => {
          if (next.do === 'copy') return history[next.of]
          if (next.do === 'acquire') {
            nowMs += next.elapsedMs
            const { who: candidate, tick, eventId } = next
            const common = { lease, candidate, attempt: `${candidate}-${count}`, nowMs, ...(eventId && { eventId }) }
            return tick ? acquireRequest({ ...common, tick }) : ticklessRequest(common)
          }
          const tenure = tenures.get(next.who)
          if (next.do === 'giveBack') {
            return tenure && { lease, candidate: tenure.candidate, attempt: tenure.attempt, nowMs }
          }
          nowMs += next.elapsedMs
          return tenure && holderWrite(tenure, next.kind, { step: count, nowMs, tick: next.tick })
        }

        for (const next of steps) {
          count++
          if (next.do === 'pause') {
            if (rules.read(lease) === undefined) continue
            const pausedUntilMs = nowMs + next.forMs
            rules.edit(lease, { pausedUntilMs })
            await editRow(client, tableName, { pausedUntilMs }, lease)
          } else {
            const request = toRequest(next)
            if (request === undefined) continue
            history.push(request)
            const expected = await send(rules, request)
            expect(await send(dynamodb, request)).toEqual(expected)
            if (!expected.granted) continue
            const isAcquire = !('kind' in request) && 'expiresAtMs' in request
            const kind = 'kind' in request ? request.kind : isAcquire ? 'acquire' : 'giveBack'
            grants.set(kind, (grants.get(kind) ?? 0) + 1)
            const after = rules.read(lease)
            if (isAcquire && after) tenures.set(request.candidate, tenureOf(request, after.fencingToken))
          }
          expect(await leaseRow(client, tableName, lease)).toEqual(rules.read(lease))
        }
      }),
      { seed: 20261121, numRuns: 200 },
    )

    // The property would hold of stores that refuse everything: it must have seen each kind of grant, often.
    for (const kind of ['acquire', ...WRITE_KINDS, 'giveBack']) {
      expect(grants.get(kind), kind).toBeGreaterThan(20)
    }
  },
  TIMEOUT_MS,
)
