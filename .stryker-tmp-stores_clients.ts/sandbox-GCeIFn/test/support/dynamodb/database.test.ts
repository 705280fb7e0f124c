/** What DynamoDB Local cannot be asked, or does otherwise than the service. */
// @ts-nocheck

import { describe, expect, it } from 'vitest'
import { type Row, SimulatedDynamoDB } from '../../../functions/election/testing/dynamodb/database.ts'

const KEY = { lease: { S: 'billing' }, record: { S: 'LEASE' } }

function makeDatabase(): SimulatedDynamoDB {
  const database = new SimulatedDynamoDB()
  database.createTable({ name: 'leases', partitionKey: 'lease', sortKey: 'record' })
  database.createTable({
    name: 'charges',
    partitionKey: 'id',
    indexes: [{ name: 'due', partitionKey: 'dueShard', sortKey: 'dueAt', projection: 'KEYS_ONLY' }],
  })
  return database
}

function update(UpdateExpression: string, values: Row = {}): object {
  const given = Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }
  return { TableName: 'leases', Key: KEY, UpdateExpression, ...given }
}

describe('The simulated DynamoDB', () => {
  it('refuses an update that gives the key of an index another type', () => {
    const database = makeDatabase()
    const due = (value: Row[string]) => ({
      TableName: 'charges',
      Key: { id: { S: '1' } },
      UpdateExpression: 'SET dueAt = :due',
      ExpressionAttributeValues: { ':due': value },
    })
    expect(database.execute('UpdateItem', due({ N: '1' })).status).toBe(400)
    expect(database.rows('charges')).toEqual([])
    expect(database.execute('UpdateItem', due({ S: '2026-11-21' }))).toEqual({ status: 200, body: {} })
  })

  it('cancels a transaction if an update does not find what it needs in its row, and writes nothing', () => {
    const database = makeDatabase()
    const put = { TableName: 'charges', Item: { id: { S: '1' } } }
    const answer = database.execute('TransactWriteItems', {
      TransactItems: [{ Put: put }, { Update: update('SET a = b') }],
    })
    expect(answer.body).toMatchObject({
      __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
      CancellationReasons: [{ Code: 'None' }, { Code: 'ValidationError' }],
    })
    expect(database.rows('charges')).toEqual([])
  })

  it('applies a transaction once for each client token', () => {
    const database = makeDatabase()
    const add = (step: string) => ({
      TransactItems: [{ Update: update('ADD step :step', { ':step': { N: step } }) }],
      ClientRequestToken: 'token-1',
    })
    expect(database.execute('TransactWriteItems', add('1')).status).toBe(200)
    expect(database.execute('TransactWriteItems', add('1')).status).toBe(200)
    expect(database.execute('TransactWriteItems', add('2')).body).toMatchObject({
      __type: expect.stringContaining('IdempotentParameterMismatchException'),
    })
    expect(database.row('leases', KEY)).toMatchObject({ step: { N: '1' } })
  })

  it.each([
    ['PutItem', { TableName: 'leases', Item: KEY, Expected: {} }],
    ['GetItem', { TableName: 'leases', Key: KEY, ProjectionExpression: 'a' }],
    ['UpdateItem', { ...update('REMOVE a'), ExpressionAttributeNames: { '#unused': 'b' } }],
    ['UpdateItem', update('SET a = :missing')],
    ['UpdateItem', update('SET a = size(lease)')],
    ['UpdateItem', update('SET a.b = :v', { ':v': { N: '1' } })],
    ['UpdateItem', update('SET a = :v - :v', { ':v': { N: '1' } })],
    ['UpdateItem', update('DELETE a :v', { ':v': { SS: ['a'] } })],
    ['UpdateItem', { ...update('REMOVE a'), ConditionExpression: 'contains(a, lease)' }],
    ['UpdateItem', { ...update('REMOVE a'), ConditionExpression: 'a IN (lease)' }],
    ['TransactGetItems', {}],
    // Two items on one row.
    ['TransactWriteItems', { TransactItems: [{ Update: update('SET a = lease') }, { Update: update('REMOVE a') }] }],
  ])('refuses what is wrong or what it does not know: %s %j', (operation, body) => {
    const database = makeDatabase()
    expect(database.execute(operation, body).status).toBe(400)
    expect(database.rows('leases')).toEqual([])
  })

  it('names the rows that a request reads or writes', () => {
    const database = makeDatabase()
    const put = { TableName: 'charges', Item: { id: { S: '1' }, paid: { BOOL: true } } }
    const check = { TableName: 'leases', Key: KEY, ConditionExpression: 'attribute_exists(holder)' }
    const TransactItems = [{ ConditionCheck: check }, { Put: put }]
    expect(database.rowsOf('TransactWriteItems', { TransactItems })).toEqual(['leases/billing/LEASE', 'charges/1'])
    expect(database.rowsOf('Query', { TableName: 'leases' })).toEqual([])
  })
})
