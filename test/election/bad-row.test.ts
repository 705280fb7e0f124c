import { describe, expect, inject, it } from 'vitest'
import { CorruptLeaseError, DynamoDBLeaseStore, type LeaseOptions, withLease } from '../../functions/election/index.ts'
import { editRow, rawRow } from '../support/lease-row.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'

const client = localClient(inject('dynamodbEndpoint'))
const nextTick = '2026-11-20T06:00:00Z'

/** A lease that has been used, and is vacant; then edited by hand. */
async function edited(changes: Record<string, unknown>) {
  const tableName = await createLeaseTable(client)
  const options: LeaseOptions = { store: new DynamoDBLeaseStore({ tableName, client }), lease: 'billing' }
  await withLease({ ...options, tick: '2026-11-20T05:00:00Z' }, () => undefined)
  await editRow(client, tableName, changes)
  let ran = false
  const error: unknown = await withLease({ ...options, tick: nextTick }, () => {
    ran = true
  }).catch((thrown: unknown) => thrown)
  return { tableName, error, ran }
}

describe('a row that was edited by hand', () => {
  it.each([
    ['fencingToken', 'seven'],
    ['holder', 7],
    ['completedTick', 'yesterday'],
    ['checkpoint', 'half'],
  ])('so that %s is %j is a clear error that names both; the task does not run', async (attribute, value) => {
    const { error, ran } = await edited({ [attribute]: value })
    expect(error).toBeInstanceOf(CorruptLeaseError)
    expect(error).toMatchObject({ lease: 'billing', attribute, message: expect.stringContaining(`"${attribute}"`) })
    expect(ran).toBe(false)
  })

  it('is given back after it was won, so that no candidate waits for a lease without a leader', async () => {
    const { tableName } = await edited({ checkpoint: 'half' })
    expect(await rawRow(client, tableName)).not.toHaveProperty('holder')
  })

  it('is left with a number too big for JavaScript: an error too', async () => {
    const { error } = await edited({ fencingToken: 2n ** 60n })
    expect(error).toMatchObject({ attribute: 'fencingToken' })
  })
})
