// @ts-nocheck
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { describe, expect, inject, it, vi } from 'vitest'
import { CorruptLeaseError, DynamoDBLeaseStore, withLease } from '../../functions/election/index.ts'
import { type AttributeMap, LEASE_RECORD, readRow, TENURE_PREFIX } from '../../functions/election/stores/row.ts'
import { editRow, rawRow } from '../support/lease-row.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'

it('lies beside the history of its lease, as operators and policies know them', () => {
  expect([LEASE_RECORD, TENURE_PREFIX]).toEqual(['LEASE', 'TENURE#'])
})

const TICK = '2026-11-21T06:00:00.000Z'
const ROW: AttributeMap = {
  lease: { S: 'billing' },
  record: { S: 'LEASE' },
  fencingToken: { N: '7' },
  attempt: { S: 'attempt-ann' },
  acquiredAtMs: { N: '1' },
  expiresAtMs: { N: '2' },
  writtenAtMs: { N: '1' },
  step: { N: '0' },
}

/** The error that refuses the row if one attribute is replaced. */
function refused(attribute: string, value: AttributeValue | undefined): unknown {
  const { [attribute]: _replaced, ...others } = ROW
  try {
    return readRow(value === undefined ? others : { ...others, [attribute]: value }, 'billing')
  } catch (error) {
    return error
  }
}

describe('a lease row', () => {
  it('is read with what it has and no more: what is absent is no key', () => {
    expect(readRow(ROW, 'billing')).toStrictEqual({
      lease: 'billing',
      fencingToken: 7,
      attempt: 'attempt-ann',
      acquiredAtMs: 1,
      expiresAtMs: 2,
      writtenAtMs: 1,
      step: 0,
    })
  })

  it('is read with each attribute that a row can have', () => {
    const more = {
      ...{ holder: 'ann', eventId: 'e', tick: TICK, firstTick: TICK, completedTick: TICK, completedBy: 6, gaveUp: 'g' },
      ...{
        endedBy: 'failed',
        errorName: 'Error',
        pausedFromMs: 1,
        pausedUntilMs: 2,
        announcement: ['a'],
        announcedBy: 3,
      },
      ...{ reservedFor: 'bob', reservedUntilMs: 4, reservedBy: 5 },
      ...{ transferTo: 'bob', transferUntilMs: 6, transferBy: 7 },
    }
    expect(readRow({ ...ROW, ...marshall(more) }, 'billing')).toStrictEqual({ ...readRow(ROW, 'billing'), ...more })
  })

  it.each(['completed', 'released', 'failed', 'forced', 'continued'])('may have ended as %s', (endedBy) => {
    expect(readRow({ ...ROW, endedBy: { S: endedBy } }, 'billing')).toMatchObject({ endedBy })
  })

  it.each([
    [{ M: { tick: { S: TICK }, state: { M: { upTo: { N: '3' } } } } }, { tick: TICK, state: { upTo: 3 } }],
    [{ M: { version: { N: '2' }, state: { NULL: true } } }, { version: 2, state: null }],
    [{ M: { state: { NULL: true } } }, { state: null }],
  ])('may have the checkpoint %j', (checkpoint: AttributeValue, expected) => {
    expect(readRow({ ...ROW, checkpoint }, 'billing').checkpoint).toStrictEqual(expected)
  })

  const NUMBERS = ['fencingToken', 'acquiredAtMs', 'expiresAtMs', 'writtenAtMs', 'step']
  it.each<[string, AttributeValue | undefined, string]>([
    ...NUMBERS.map((name): [string, undefined, string] => [name, undefined, 'a whole number, but is missing']),
    ['attempt', undefined, 'a string, but is missing'],
    ['step', { S: 'two' }, 'a whole number, but is "two"'],
    ['step', { N: '-1' }, 'a whole number, but is the number -1'],
    ['step', { N: '1.5' }, 'a whole number, but is the number 1.5'],
    ['step', { BOOL: true }, 'a whole number, but is of type BOOL'],
    ['step', JSON.parse('{ "N": [7] }'), 'a whole number, but is of type N'],
    ['step', { S: 'x'.repeat(500) }, `a whole number, but is "${'x'.repeat(40)}"`],
    ['step', { N: '1'.repeat(500) }, `a whole number, but is the number ${'1'.repeat(40)}`],
    ['step', JSON.parse(`{ "${'x'.repeat(500)}": 1 }`), `a whole number, but is of type ${'x'.repeat(40)}`],
    ['holder', { N: '7' }, 'a string, but is the number 7'],
    ['holder', { NULL: true }, 'a string, but is of type NULL'],
    ['pausedFromMs', { S: 'soon' }, 'a whole number, but is "soon"'],
    ['announcement', { N: '1e125' }, 'a value whose numbers JavaScript can hold, but is the number 1e125'],
    ['tick', { S: 'soon' }, 'a tick like 2026-11-21T06:00:00.000Z, but is "soon"'],
    ['endedBy', { S: 'magic' }, 'one of completed, released, failed, continued, forced, but is "magic"'],
    ['checkpoint', { S: 'half' }, 'a map of a tick and a state, but is "half"'],
    ['checkpoint', { M: { tick: { S: TICK } } }, 'a map of a tick and a state, but is of type M'],
    ['checkpoint', { M: { tick: { N: '1' }, state: { S: 'x' } } }, 'a map of a tick and a state, but is of type M'],
    [
      'checkpoint',
      { M: { state: { S: 'x' }, continuations: { N: '0.5' } } },
      'a map whose continuations and sinceMs are whole numbers, but is of type M',
    ],
    [
      'checkpoint',
      { M: { state: { S: 'x' }, sinceMs: { S: '1' } } },
      'a map whose continuations and sinceMs are whole numbers, but is of type M',
    ],
    ...[{ N: '0' }, { N: '1.5' }, { N: 'two' }, { N: '' }, { S: '2' }].map(
      (version): [string, AttributeValue, string] => [
        'checkpoint',
        { M: { version, state: { S: 'x' } } },
        'a map whose version is a whole number from 1, but is of type M',
      ],
    ),
    ['checkpoint', { M: { state: { N: '1e125' } } }, 'a map whose numbers JavaScript can hold, but is of type M'],
  ])('whose %s is %j is refused in words that say what it should be', (attribute, value, text) => {
    const error = refused(attribute, value)
    expect(error).toBeInstanceOf(CorruptLeaseError)
    const message = `The row of lease "billing" is damaged: attribute "${attribute}" should be ${text}. `
    expect(error).toMatchObject({ attribute, lease: 'billing', message: expect.stringContaining(message) })
  })
})

it.each([
  ['fencingToken', 'seven'],
  ['fencingToken', 2n ** 60n],
  ['completedTick', 'yesterday'],
  ['checkpoint', 'half'],
])('a row whose %s was edited to %o is an error that names both, and is left vacant', async (attribute, value) => {
  const client = localClient(inject('dynamodbEndpoint'))
  const tableName = await createLeaseTable(client)
  const options = { store: new DynamoDBLeaseStore({ tableName, client }), lease: 'billing' }
  await withLease({ ...options, tick: '2026-11-20T05:00:00Z' }, () => undefined)
  await editRow(client, tableName, { [attribute]: value })
  const task = vi.fn()
  const error = await withLease({ ...options, tick: '2026-11-20T06:00:00Z' }, task).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(CorruptLeaseError)
  expect(error).toMatchObject({ lease: 'billing', attribute, message: expect.stringContaining(`"${attribute}"`) })
  expect(task).not.toHaveBeenCalled()
  expect(await rawRow(client, tableName)).not.toHaveProperty('holder')
})
