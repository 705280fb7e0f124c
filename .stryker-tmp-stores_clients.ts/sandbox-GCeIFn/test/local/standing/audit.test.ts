// @ts-nocheck
import { expect, test } from 'vitest'
import type { Entry, FaultEntry, TenureEntry } from '../../../infra/local/observe/entries.ts'
import { Audit } from '../../../infra/local/standing/audit.ts'
import { jsonReply } from '../observe/wire.ts'
import { fault, T0, takenOver, tenure } from '../page/election.ts'

const APPEND = { service: 'dynamodb', operation: 'UpdateItem', target: 'Work', requestId: 'a' } as const

/** Writes of these tokens, with what the row counts after each; in the order in which their replies arrive. */
async function auditOf(entries: readonly Entry[], writes: readonly (readonly [count: number, token: number])[] = []) {
  const audit = new Audit('Work')
  const gaps = entries.flatMap((entry) => audit.add(entry) ?? [])
  for (const [count, token] of writes) {
    const body = { ExpressionAttributeValues: { ':tenureFence': { N: String(token) } } }
    const attributes = { Attributes: { appended: { N: String(count) } } }
    await audit.intercept({ ...APPEND, body }, async () => jsonReply(attributes))
  }
  return { audit, gaps }
}

const LED: readonly TenureEntry[] = [tenure(1, 0), tenure(1, 0, takenOver(1, 4_000)), tenure(2, 4_000)]

test.each<[string, readonly Entry[], readonly (readonly [number, number])[], RegExp]>([
  ['a token that was granted twice', [tenure(1, 0), tenure(2, 9, { token: 101 })], [], /^1 of 2 tenures got a token/],
  [
    'a write after one with a higher token',
    LED,
    [
      [1, 101],
      [2, 102],
      [3, 101],
    ],
    /^1 of 3 writes were applied after/,
  ],
  [
    'the same in the order of other replies',
    LED,
    [
      [3, 101],
      [2, 102],
    ],
    /^1 of 3 writes were applied after/,
  ],
])('%s is wrong', async (_, entries, writes, error) => {
  const { audit } = await auditOf(entries, writes)
  expect(audit.errors()).toEqual([expect.stringMatching(error)])
})

test('late replies and refused writes of a replaced leader are right', async () => {
  const refused = tenure(1, 0, { ...takenOver(1, 4_000), refused: 1 })
  const killed = fault('killed', 8_000, { candidate: 2 })
  const { audit } = await auditOf(
    [...LED, refused, killed, tenure(3, 9_000)],
    [
      [2, 101],
      [1, 101],
      [4, 103],
      [3, 102],
    ],
  )
  expect(audit.errors()).toEqual([])
  expect(audit).toMatchObject({ tenures: 3, appended: 4 })
  expect(audit.gaps.at(-1)).toEqual({ after: 'killed', candidate: 2, ms: 1_000 })
})

const handedOver = tenure(1, 0, { end: 'continued', endedAtMs: T0 + 2_000 })
const onLeader = (description: string, afterMs: number): FaultEntry => ({
  ...{ kind: 'fault', atMs: T0 + afterMs, candidate: 1, description },
})
test.each<[string, readonly Entry[], object]>([
  ['from the fault', [onLeader('killed', 1_000)], { after: 'killed', ms: 3_000 }],
  ['from the end of its process', [tenure(1, 0, { done: 1_500 })], { after: 'its process ended', ms: 2_500 }],
  [
    'from the release, if the leader led until then',
    [onLeader('asked to hand over to candidate-2', 500), handedOver],
    { after: 'asked to hand over to candidate-2', ms: 2_000 },
  ],
  ['without a fault', [handedOver], { after: 'handed over', ms: 2_000 }],
  [
    'not from a fault that has ended',
    [onLeader('cut off', 100), onLeader('reconnected', 900), handedOver],
    { after: 'handed over' },
  ],
  [
    'not from a fault of another candidate',
    [fault('cut off', 100, { candidate: 3 }), handedOver],
    { after: 'handed over' },
  ],
])('the time without a leader counts %s', async (_, entries, gap) => {
  const { gaps, audit } = await auditOf([tenure(1, 0), ...entries, tenure(2, 4_000)])
  expect(gaps).toMatchObject([{ candidate: 1, ...gap }])
  expect(audit.longestGapMs).toBe(gaps[0]?.ms)
})
