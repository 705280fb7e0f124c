/** Lease rows as DynamoDB sends them. */
// @ts-nocheck

import fc from 'fast-check'
import { CorruptLeaseError, DynamoDBLeaseStore, LeaseStoreError } from '../../../../functions/election/index.ts'
import { type AttributeMap, readRow } from '../../../../functions/election/stores/row.ts'
import { type Reply, simulatedClient } from '../../../../functions/election/testing/dynamodb/client.ts'
import { acquireRequest } from '../../../../functions/election/testing/requests.ts'
import { isCanonicalTick } from '../../../../functions/election/tick.ts'
import { hostileJson, hostileText, nearlyObject } from '../inputs.ts'
import { assert, type Target, target } from '../target.ts'

const NOW = '2026-11-21T06:00:00.000Z'
const AT = String(Date.parse(NOW) - 60_000)

/** A lease during a tick; its holder died after saving a checkpoint. */
export const HELD: AttributeMap = {
  lease: { S: 'billing' },
  record: { S: 'LEASE' },
  fencingToken: { N: AT },
  holder: { S: 'ann' },
  attempt: { S: '9f0f6b53-95bd-4c3c-9f35-2a5f63b7e4f1' },
  eventId: { S: 'event-1' },
  acquiredAtMs: { N: AT },
  expiresAtMs: { N: String(Number(AT) + 15_000) },
  writtenAtMs: { N: AT },
  step: { N: '1' },
  tick: { S: NOW },
  completedTick: { S: '2026-11-21T05:00:00.000Z' },
  checkpoint: {
    M: {
      tick: { S: NOW },
      version: { N: '2' },
      state: { M: { done: { L: [{ S: 'a' }, { N: '7' }, { NULL: true }] } } },
    },
  },
  pausedUntilMs: { N: '0' },
}
const { holder: _holder, ...vacant } = HELD
export const VACANT: AttributeMap = { ...vacant, endedBy: { S: 'failed' }, errorName: { S: 'TypeError' } }

const NUMERALS = ['', '1e3', '-0', '-1', '0.5', 'NaN', '0x10', ' 7', '9007199254740993', '1'.repeat(38), '1e125']
const attribute = fc.oneof(
  hostileText.map((S) => ({ S })),
  fc.oneof(fc.constantFrom(...NUMERALS), hostileText).map((N) => ({ N })),
  fc.constantFrom<object>(
    ...[{ BOOL: true }, { NULL: true }, { B: 'AAEC' }, { SS: ['a'] }, { L: [] }, { M: {} }, { S: NOW }],
  ),
)

/** One of these rows as JSON has it, with a few edits. */
export function editedRow(...valid: readonly AttributeMap[]): fc.Arbitrary<AttributeMap> {
  return nearlyObject(fc.constantFrom<object>(...valid), attribute).map((row) => JSON.parse(JSON.stringify(row)))
}

function readLeaseRow(given: AttributeMap): void {
  const record = readRow(given, 'billing')
  for (const name of ['fencingToken', 'acquiredAtMs', 'expiresAtMs', 'writtenAtMs', 'step'] as const) {
    assert(Number.isSafeInteger(record[name]) && record[name] >= 0, `${name} is ${record[name]}`)
  }
  for (const tick of [record.tick, record.completedTick, record.checkpoint?.tick]) {
    assert(tick === undefined || isCanonicalTick(tick), `${JSON.stringify(tick)} is no canonical tick`)
  }
  const { version = 1 } = record.checkpoint ?? {}
  assert(Number.isSafeInteger(version) && version >= 1, `the version of the checkpoint is ${version}`)
  const texts = [record.attempt, record.holder ?? '', record.eventId ?? '', record.errorName ?? '']
  for (const text of texts) assert(typeof text === 'string', 'an attribute is no text')
  assert(!Object.values(record).includes(undefined), 'an attribute is present and undefined')
}

const BODIES: readonly object[] = [
  {},
  { Attributes: VACANT },
  { __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException', message: 'Refused', Item: HELD },
  { __type: 'com.amazon.coral.validate#ValidationException', message: 'An operand has an incorrect data type' },
]
const answer = fc.record({
  status: fc.constantFrom(200, 400, 400, 503),
  body: fc.oneof(
    { weight: 9, arbitrary: nearlyObject(fc.constantFrom(...BODIES), fc.oneof(attribute, hostileJson)) },
    { weight: 1, arbitrary: hostileText },
  ),
})

async function readAnswer(given: Reply): Promise<void> {
  const client = simulatedClient(() => given, { maxAttempts: 1 }, { isLean: true })
  const store = new DynamoDBLeaseStore({ tableName: 'leases', client })
  const reply = await store.acquire(acquireRequest())
  assert(!('contended' in reply) && reply.granted === given.status < 300, 'the reply is not what was answered')
}

export const leaseRowTargets: readonly Target[] = [
  target('a lease row', editedRow(HELD, VACANT), readLeaseRow, [
    CorruptLeaseError,
    /"billing" is damaged: attribute "\w+" should be/,
  ]),
  target(
    'an answer to a request without the SDK',
    answer,
    readAnswer,
    [CorruptLeaseError, /"billing".* is damaged: attribute "\w+" should be/],
    [LeaseStoreError, /lease "billing" in table "leases"/],
  ),
]
