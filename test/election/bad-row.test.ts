import { expect, inject, it } from 'vitest'
import { CorruptLeaseError, DynamoDBLeaseStore, withLease } from '../../functions/election/index.ts'
import { editRow, rawRow } from '../support/lease-row.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'

const client = localClient(inject('dynamodbEndpoint'))

it.each([
  ['fencingToken', 'seven'],
  ['fencingToken', 2n ** 60n],
  ['completedTick', 'yesterday'],
  ['checkpoint', 'half'],
])('a row whose %s was edited to %o is an error that names both, and is left vacant', async (attribute, value) => {
  const tableName = await createLeaseTable(client)
  const options = { store: new DynamoDBLeaseStore({ tableName, client }), lease: 'billing' }
  await withLease({ ...options, tick: '2026-11-20T05:00:00Z' }, () => undefined)
  await editRow(client, tableName, { [attribute]: value })
  let ran = false
  const error: unknown = await withLease({ ...options, tick: '2026-11-20T06:00:00Z' }, () => {
    ran = true
  }).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(CorruptLeaseError)
  expect(error).toMatchObject({ lease: 'billing', attribute, message: expect.stringContaining(`"${attribute}"`) })
  expect(ran).toBe(false)
  expect(await rawRow(client, tableName)).not.toHaveProperty('holder')
})
