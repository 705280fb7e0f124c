/** Lease rows as DynamoDB sends them. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import fc from 'fast-check'
import { CorruptLeaseError } from '../../../../functions/election/index.ts'
import { type AttributeMap, readRow } from '../../../../functions/election/stores/row.ts'
import { isCanonicalTick } from '../../../../functions/election/tick.ts'
import { hostileText } from '../inputs.ts'
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
  checkpoint: { M: { tick: { S: NOW }, state: { M: { done: { L: [{ S: 'a' }, { N: '7' }, { NULL: true }] } } } } },
  pausedUntilMs: { N: '0' },
}
const { holder: _holder, ...vacant } = HELD
export const VACANT: AttributeMap = { ...vacant, endedBy: { S: 'failed' }, errorName: { S: 'TypeError' } }

const numeral = fc.oneof(
  fc.constantFrom('', '1e3', '-0', '-1', '0.5', 'NaN', '0x10', ' 7', '9007199254740993', '1'.repeat(38), '1e125'),
  hostileText,
)
const scalar: fc.Arbitrary<AttributeValue> = fc.oneof(
  hostileText.map((S) => ({ S })),
  numeral.map((N) => ({ N })),
)
const { attribute } = fc.letrec<{ attribute: AttributeValue }>((tie) => ({
  attribute: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.constantFrom<AttributeValue>(
      ...[{ BOOL: true }, { NULL: true }, { B: new Uint8Array(3) }, { SS: ['a'] }, { NS: ['1', 'NaN'] }, { S: NOW }],
    ),
    fc.array(tie('attribute'), { maxLength: 3 }).map((L): AttributeValue => ({ L })),
    fc
      .dictionary(fc.oneof(hostileText, fc.constantFrom('tick', 'state')), tie('attribute'), { maxKeys: 4 })
      .map((M): AttributeValue => ({ M })),
  ),
}))

/** One of these rows, with up to two edits as an operator may make them by hand. */
export function editedRow(...valid: readonly AttributeMap[]): fc.Arbitrary<AttributeMap> {
  const name = fc.constantFrom(...new Set(valid.flatMap((row) => Object.keys(row))))
  const checkpoint = fc
    .tuple(hostileText, attribute)
    .map(([tickName, state]): AttributeMap => ({ checkpoint: { M: { [tickName]: { S: NOW }, state } } }))
  const value = fc.tuple(name, fc.oneof(attribute, scalar)).map(([key, edit]): AttributeMap => ({ [key]: edit }))
  const changes = fc.array(fc.oneof(value, fc.dictionary(hostileText, attribute, { maxKeys: 4 }), checkpoint), {
    maxLength: 2,
  })
  return fc.tuple(fc.constantFrom(...valid), changes, fc.option(name, { freq: 5 })).map(([row, edits, missing]) => {
    const entries = [row, ...edits].flatMap((edit) => Object.entries(edit))
    return Object.fromEntries(entries.filter(([key]) => key !== missing))
  })
}

function readLeaseRow(given: AttributeMap): void {
  const record = readRow(given, 'billing')
  for (const name of ['fencingToken', 'acquiredAtMs', 'expiresAtMs', 'writtenAtMs', 'step'] as const) {
    assert(Number.isSafeInteger(record[name]) && record[name] >= 0, `${name} is ${record[name]}`)
  }
  for (const tick of [record.tick, record.completedTick, record.checkpoint?.tick]) {
    assert(tick === undefined || isCanonicalTick(tick), `${JSON.stringify(tick)} is no canonical tick`)
  }
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
