/** Which changes of lease rows invoke the announcer, by the deployed filter. */
// @ts-nocheck

import { Template } from 'aws-cdk-lib/assertions'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { factsOf } from '../../functions/announce/facts.ts'
import { readRecord } from '../../functions/announce/stream-record.ts'
import { LeadershipEvents } from '../../infra/constructs/index.ts'
import { stackWithTable } from '../support/cdk-app.ts'
import { streamRecord } from './lease-stream.ts'
import { live, step } from './life.ts'

const { stack, leaseTable } = stackWithTable()
new LeadershipEvents(stack, 'Events', { leaseTable })
const [mapping] = Object.values(Template.fromStack(stack).findResources('AWS::Lambda::EventSourceMapping'))
const patterns: readonly unknown[] = mapping?.['Properties'].FilterCriteria.Filters.map(
  ({ Pattern }: { Pattern: string }) => JSON.parse(Pattern),
)

/** As Lambda matches: a leaf of the pattern lists the values that are allowed, or says whether there must be one. */
function matches(pattern: unknown, found: unknown): boolean {
  if (!Array.isArray(pattern)) {
    return Object.entries(Object(pattern)).every(([name, part]) => matches(part, Object(found)[name]))
  }
  const [allowed] = pattern
  return typeof allowed === 'string' ? found === allowed : Object(allowed).exists === (found !== undefined)
}
const invokes = (record: object) => patterns.some((pattern) => matches(pattern, record))

test('Each change of a lease without ticks that is announced invokes the announcer', async () => {
  let announced = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30, size: 'max' }), async (taken) => {
      // If an operator changes the attempt under a leader that stays, the next election is announced, as a takeover.
      const change = { lease: 'tickless', how: 'asDocumented' } as const
      for (const record of (await live(taken.map((each) => ({ ...each, ...change })))).records) {
        const streamed = readRecord(record)
        if (streamed?.kind !== 'written' || factsOf(streamed.change).length === 0) continue
        announced++
        expect(invokes(record)).toBe(true)
      }
    }),
    { seed: 20261121, numRuns: 100 },
  )
  expect(announced).toBeGreaterThan(100)
})

test.each([
  ['tickless', false],
  ['billing', true],
] as const)(
  'What a leader of the lease %s writes before its end invokes the announcer: %s',
  async (lease, expected) => {
    const writes = ['renew', 'saveCheckpoint', 'proclaim', 'requestTransfer', 'renew'] as const
    const taken = ['acquire', ...writes, 'resign'] as const
    const { records } = await live(taken.map((action) => ({ do: action, lease, elapsedMs: 700 })))
    expect(records.map(invokes)).toEqual([true, ...writes.map(() => expected), true])
  },
)

test('The deletion of a lease row invokes the announcer, and the row of a candidate does not', async () => {
  const leases = await live([{ do: 'acquire', lease: 'tickless', elapsedMs: 0 }])
  const [{ dynamodb } = {}] = leases.records
  const ofCandidate = { dynamodb: { ...dynamodb, Keys: { ...dynamodb?.Keys, record: { S: 'CANDIDATE#ann' } } } }
  const deleted = streamRecord(leases.read('tickless'), undefined)
  expect([{ dynamodb }, deleted, ofCandidate].map(invokes)).toEqual([true, true, false])
})
