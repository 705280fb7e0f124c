import fc from 'fast-check'
import { expect, inject, it } from 'vitest'
import { DynamoDBLeaseStore, MemoryLeaseStore } from '../../functions/election/index.ts'
import type { AcquireRequest, GiveBackRequest, HolderWrite, Tenure } from '../../functions/election/rules.ts'
import type { LeaseStore } from '../../functions/election/stores/store.ts'
import {
  acquireRequest,
  holderWrite,
  NOW_MS,
  tenureOf,
  ticklessRequest,
} from '../../functions/election/testing/requests.ts'
import { editRow, leaseRow } from '../support/lease-row.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'

type Sent =
  | { readonly as: 'acquire'; readonly request: AcquireRequest }
  | { readonly as: 'write'; readonly request: HolderWrite }
  | { readonly as: 'giveBack'; readonly request: GiveBackRequest }
  | { readonly as: 'pause'; readonly pausedUntilMs: number }

// Few values, close together, so that conditions are met and missed by a hair.
const ticks = ['2026-11-21T03:00:00.000Z', '2026-11-21T04:00:00.000Z', '2026-11-21T05:00:00.000Z']
const who = fc.constantFrom('ann', 'bob', 'cy')
const elapsedMs = fc.constantFrom(0, 1, 999, 1_000, 1_001, 5_000, 15_999, 16_000, 16_001)

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('acquire' as const),
      who,
      elapsedMs,
      tick: fc.option(fc.constantFrom(...ticks), { nil: undefined, freq: 8 }),
      eventId: fc.option(fc.constantFrom('event-1', 'event-2'), { nil: undefined }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      who,
      elapsedMs: fc.constantFrom(0, 1, 1_000),
      kind: fc.constantFrom('renew' as const, 'saveCheckpoint' as const, 'complete' as const, 'release' as const),
      tick: fc.constantFrom(...ticks),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('giveBack' as const), who }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('copy' as const), of: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pause' as const), forMs: fc.constantFrom(0, 1_000, 20_000) }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

async function send(store: LeaseStore, sent: Exclude<Sent, { as: 'pause' }>) {
  switch (sent.as) {
    case 'acquire': {
      const reply = await store.acquire(sent.request)
      return 'contended' in reply ? reply : { granted: reply.granted, record: reply.record }
    }
    case 'write':
      return await store.write(sent.request)
    case 'giveBack':
      return await store.giveBack(sent.request)
  }
}

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
        const rules = new MemoryLeaseStore()
        const dynamodb = new DynamoDBLeaseStore({ tableName, client })
        const tenures = new Map<string, Tenure>()
        const history: Exclude<Sent, { as: 'pause' }>[] = []
        let nowMs = NOW_MS
        let count = 0

        const toRequest = (next: Step): Sent | undefined => {
          switch (next.do) {
            case 'acquire': {
              nowMs += next.elapsedMs
              const { who: candidate, tick, eventId } = next
              const common = { lease, candidate, attempt: `${candidate}-${count}`, nowMs, ...(eventId && { eventId }) }
              return { as: 'acquire', request: tick ? acquireRequest({ ...common, tick }) : ticklessRequest(common) }
            }
            case 'write': {
              nowMs += next.elapsedMs
              const tenure = tenures.get(next.who)
              return (
                tenure && {
                  as: 'write',
                  request: holderWrite(tenure, next.kind, { step: count, nowMs, tick: next.tick }),
                }
              )
            }
            case 'giveBack': {
              const tenure = tenures.get(next.who)
              return tenure && { as: 'giveBack', request: { ...tenure, nowMs } }
            }
            case 'copy':
              return history[next.of]
            case 'pause':
              return rules.read(lease) && { as: 'pause', pausedUntilMs: nowMs + next.forMs }
          }
        }

        for (const next of steps) {
          count++
          const sent = toRequest(next)
          if (sent === undefined) continue
          if (sent.as === 'pause') {
            rules.edit(lease, { pausedUntilMs: sent.pausedUntilMs })
            await editRow(client, tableName, { pausedUntilMs: sent.pausedUntilMs }, lease)
          } else {
            history.push(sent)
            const expected = await send(rules, sent)
            expect(await send(dynamodb, sent)).toEqual(expected)
            if (!expected.granted) continue
            const kind = sent.as === 'write' ? sent.request.kind : sent.as
            grants.set(kind, (grants.get(kind) ?? 0) + 1)
            const after = rules.read(lease)
            if (sent.as === 'acquire' && after)
              tenures.set(sent.request.candidate, tenureOf(sent.request, after.fencingToken))
          }
          expect(await leaseRow(client, tableName, lease)).toEqual(rules.read(lease))
        }
      }),
      { seed: 20261121, numRuns: 200 },
    )

    // The property would hold of stores that refuse everything: it must have seen each kind of grant, often.
    for (const kind of ['acquire', 'renew', 'saveCheckpoint', 'complete', 'release', 'giveBack']) {
      expect(grants.get(kind), kind).toBeGreaterThan(20)
    }
  },
  TIMEOUT_MS,
)
