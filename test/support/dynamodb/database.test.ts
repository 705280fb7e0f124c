import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Row, SimulatedDynamoDB, type TableSchema } from './database.ts'

const LEASES: TableSchema = { name: 'leases', partitionKey: 'lease', sortKey: 'record', ttlAttribute: 'ttl' }
const CHARGES: TableSchema = {
  name: 'charges',
  partitionKey: 'id',
  indexes: [{ name: 'due', partitionKey: 'dueShard', sortKey: 'dueAt', projection: 'KEYS_ONLY' }],
}
const KEY = { lease: { S: 'billing' }, record: { S: 'LEASE' } }

function twoTables(): SimulatedDynamoDB {
  const database = new SimulatedDynamoDB()
  database.createTable(LEASES)
  database.createTable(CHARGES)
  return database
}

function update(UpdateExpression: string, values: Row = {}): object {
  const given = Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }
  return { TableName: 'leases', Key: KEY, UpdateExpression, ...given }
}

describe('The simulated DynamoDB, where DynamoDB Local does otherwise or cannot be asked,', () => {
  it('refuses an update that gives the key of an index another type', () => {
    const database = twoTables()
    const due = (value: Row[string]) => ({
      TableName: 'charges',
      Key: { id: { S: '1' } },
      UpdateExpression: 'SET dueAt = :due',
      ExpressionAttributeValues: { ':due': value },
    })
    expect(database.execute('UpdateItem', due({ N: '1' }))).toMatchObject({
      status: 400,
      body: { __type: 'com.amazon.coral.validate#ValidationException', message: expect.stringContaining('Index Key') },
    })
    expect(database.rows('charges')).toEqual([])
    expect(database.execute('UpdateItem', due({ S: '2026-11-21' }))).toEqual({ status: 200, body: {} })
  })

  it('cancels a transaction whose update does not find what it needs in its row, and writes nothing of it', () => {
    const database = twoTables()
    const put = { TableName: 'charges', Item: { id: { S: '1' } } }
    const items = [{ Put: put }, { Update: update('SET a = b') }]
    expect(database.execute('TransactWriteItems', { TransactItems: items })).toEqual({
      status: 400,
      body: {
        __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
        message:
          'Transaction cancelled, please refer cancellation reasons for specific reasons [None, ValidationError]',
        CancellationReasons: [
          { Code: 'None' },
          {
            Code: 'ValidationError',
            Message: 'The provided expression refers to an attribute that does not exist in the item',
          },
        ],
      },
    })
    expect(database.rows('charges')).toEqual([])
  })

  it('refuses two items of one transaction on one row before it looks at any', () => {
    const database = twoTables()
    const first = { Update: { ...update('SET a = lease'), ConditionExpression: 'attribute_exists(a)' } }
    const answer = database.execute('TransactWriteItems', { TransactItems: [first, { Update: update('REMOVE a') }] })
    expect(answer.body).toMatchObject({ message: expect.stringContaining('multiple operations on one item') })
  })

  it('applies a transaction once for each client token', () => {
    const database = twoTables()
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

  it('refuses what it does not know instead of ignoring it', () => {
    const database = twoTables()
    const unknown = [
      ['PutItem', { TableName: 'leases', Item: KEY, Expected: {} }],
      ['GetItem', { TableName: 'leases', Key: KEY, ProjectionExpression: 'a' }],
      ['TransactGetItems', {}],
    ] as const
    for (const [operation, body] of unknown) expect(database.execute(operation, body).status, operation).toBe(400)
  })

  it('answers anything, and throws nothing', () => {
    const operations = ['PutItem', 'UpdateItem', 'DeleteItem', 'GetItem', 'Query', 'Scan', 'TransactWriteItems']
    const names = fc.constantFrom('TableName', 'Key', 'Item', 'UpdateExpression', 'TransactItems', 'Put', 'S', 'Limit')
    const body = fc.dictionary(names, fc.oneof(fc.constant('leases'), fc.constant(KEY), fc.jsonValue()))
    fc.assert(
      fc.property(fc.constantFrom(...operations), body, (operation, request) => {
        const database = twoTables()
        expect([200, 400]).toContain(database.execute(operation, request).status)
        expect(database.rowsOf(operation, request)).toBeInstanceOf(Array)
      }),
      { seed: 20261121, numRuns: 500 },
    )
  })
})

describe('Beside answering requests it', () => {
  it('names the rows that a request reads or writes', () => {
    const database = twoTables()
    const put = { TableName: 'charges', Item: { id: { S: '1' }, paid: { BOOL: true } } }
    const check = { TableName: 'leases', Key: KEY, ConditionExpression: 'attribute_exists(holder)' }
    expect(database.rowsOf('PutItem', put)).toEqual(['charges/1'])
    expect(database.rowsOf('UpdateItem', update('REMOVE a'))).toEqual(['leases/billing/LEASE'])
    expect(database.rowsOf('TransactWriteItems', { TransactItems: [{ ConditionCheck: check }, { Put: put }] })).toEqual(
      ['leases/billing/LEASE', 'charges/1'],
    )
    expect(database.rowsOf('Query', { TableName: 'leases', KeyConditionExpression: 'lease = :lease' })).toEqual([])
  })

  it('deletes the rows whose time is over, but none whose time lies five years back', () => {
    const database = twoTables()
    const nowMs = Date.parse('2026-11-21T06:00:00Z')
    const record = (name: string, ttl: number) => ({ ...KEY, record: { S: name }, ttl: { N: String(ttl) } })
    database.put('leases', KEY)
    database.put('leases', record('over', nowMs / 1_000 - 1))
    database.put('leases', record('now', nowMs / 1_000))
    database.put('leases', record('in milliseconds', nowMs - 1))
    database.put('leases', record('long ago', nowMs / 1_000 - 6 * 365 * 86_400))
    database.put('charges', { id: { S: '1' }, ttl: { N: '1' } })
    expect(database.expire(nowMs)).toBe(1)
    expect(database.rows('leases').map(({ record: name }) => name)).toEqual(
      ['LEASE', 'now', 'in milliseconds', 'long ago'].map((S) => ({ S })),
    )
    expect(database.rows('charges')).toHaveLength(1)
  })

  it('lets rows be looked at, put and removed by hand', () => {
    const database = twoTables()
    expect(database.row('leases', KEY)).toBeUndefined()
    database.put('leases', { ...KEY, step: { N: '007' } })
    expect(database.row('leases', KEY)).toEqual({ ...KEY, step: { N: '7' } })
    database.remove('leases', KEY)
    expect(database.rows('leases')).toEqual([])
  })
})
