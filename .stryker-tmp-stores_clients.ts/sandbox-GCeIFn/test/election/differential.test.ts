// @ts-nocheck
import fc from 'fast-check'
import { expect, inject, it } from 'vitest'
import { DynamoDBLeaseStore } from '../../functions/election/index.ts'
import type { Tenure } from '../../functions/election/rules.ts'
import { type Request, send } from '../../functions/election/testing/conformance.ts'
import {
  acquireRequest,
  CONTINUATION,
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
const TICKS = ['2026-11-21T03:00:00.000Z', '2026-11-21T04:00:00.000Z', '2026-11-21T05:00:00.000Z']
const ELAPSED_MS = [0, 1, 999, 1_000, 1_001, 5_000, 15_999, 16_000, 16_001]
/** As often as they are drawn. */
const STEPS = [
  ...Array<'acquire'>(5).fill('acquire'),
  ...Array<'write'>(6).fill('write'),
  ...(['giveBack', 'pause', 'copy', 'copy', 'copy'] as const),
]

const oneOf = <T>(...all: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...all)

/** Some 9,000 requests, one after the other: 7 s alone, and 30 s beside the race of fifty processes. */
const TIMEOUT_MS = 120_000

it(
  'DynamoDB gives the same answers as the pure rules to random requests, delayed copies included',
  async () => {
    const client = localClient(inject('dynamodbEndpoint'))
    const tableName = await createLeaseTable(client)
    const grants = new Map<string, number>()
    let run = 0

    const play = async (g: fc.GeneratorValue) => {
      const pick = <T>(...all: readonly T[]): T => g(oneOf<T>, ...all)
      const lease = `run-${run++}`
      const rules = new RulesStore()
      const dynamodb = new DynamoDBLeaseStore({ tableName, client })
      const tenures = new Map<string, Tenure>()
      const history: Request[] = []
      let nowMs = NOW_MS

      const makeRequest = (step: 'acquire' | 'write' | 'giveBack' | 'copy', count: number): Request | undefined => {
        if (step === 'copy') return history[g(fc.nat, 40)]
        const candidate = pick('ann', 'bob', 'cy')
        if (step === 'acquire') {
          nowMs += pick(...ELAPSED_MS)
          const eventId = pick(undefined, 'event-1', 'event-2')
          const continuation = pick(undefined, CONTINUATION, 'another')
          const ids = { ...(eventId && { eventId }), ...(continuation && { continuation }) }
          const common = { lease, candidate, attempt: `${candidate}-${count}`, nowMs, ...ids }
          const tick = pick(undefined, ...TICKS, ...TICKS)
          return tick ? acquireRequest({ ...common, tick }) : ticklessRequest(common)
        }
        const tenure = tenures.get(candidate)
        if (step === 'giveBack') return tenure && { lease, candidate, attempt: tenure.attempt, nowMs }
        nowMs += pick(0, 1, 1_000)
        return tenure && holderWrite(tenure, pick(...WRITE_KINDS), { step: count, nowMs, tick: pick(...TICKS) })
      }

      const steps = g(fc.integer, { min: 5, max: 40 })
      for (let count = 1; count <= steps; count++) {
        const step = pick(...STEPS)
        if (step === 'pause') {
          if (rules.read(lease) === undefined) continue
          const pausedUntilMs = nowMs + pick(0, 1_000, 20_000)
          rules.edit(lease, { pausedUntilMs })
          await editRow(client, tableName, { pausedUntilMs }, lease)
        } else {
          const request = makeRequest(step, count)
          if (request === undefined) continue
          history.push(request)
          const expected = await send(rules, request)
          expect(await send(dynamodb, request)).toEqual(expected)
          if (!expected.granted) continue
          const isAcquire = !('kind' in request) && 'expiresAtMs' in request
          const isHandOver = 'endedBy' in request && request.endedBy === 'continued'
          const write = 'kind' in request ? request.kind : 'giveBack'
          const kind = isAcquire ? 'acquire' : isHandOver ? 'handOver' : write
          grants.set(kind, (grants.get(kind) ?? 0) + 1)
          const after = rules.read(lease)
          if (isAcquire && after) tenures.set(request.candidate, tenureOf(request, after.fencingToken))
        }
        expect(await leaseRow(client, tableName, lease)).toEqual(rules.read(lease))
      }
    }
    await fc.assert(fc.asyncProperty(fc.gen(), play), { seed: 20261121, numRuns: 200 })

    // The property would hold of stores that refuse everything: it must have seen each kind of grant, often.
    for (const kind of ['acquire', ...WRITE_KINDS, 'giveBack']) expect(grants.get(kind), kind).toBeGreaterThan(20)
  },
  TIMEOUT_MS,
)
