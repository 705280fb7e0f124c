/** Lease rows as DynamoDB sends them. */
import fc from 'fast-check'
import { CorruptLeaseError } from '../../../../functions/election/index.ts'
import { type AttributeMap, readRow } from '../../../../functions/election/stores/row.ts'
import { isCanonicalTick } from '../../../../functions/election/tick.ts'
import { hostileText, nearlyObject } from '../inputs.ts'
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

export const leaseRowTargets: readonly Target[] = [
  target('a lease row', editedRow(HELD, VACANT), readLeaseRow, [
    CorruptLeaseError,
    /"billing" is damaged: attribute "\w+" should be/,
  ]),
]
