import { describe, inject } from 'vitest'
import { DynamoDBLeaseStore, MemoryLeaseStore } from '../../functions/election/index.ts'
import { editRow, leaseRow } from '../support/lease-row.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'
import { describesALeaseStore } from './conformance.ts'

describe('MemoryLeaseStore', () => {
  describesALeaseStore(async () => {
    const store = new MemoryLeaseStore()
    return {
      store,
      read: async () => store.read('billing'),
      edit: async (changes) => store.edit('billing', changes),
    }
  })
})

describe('DynamoDBLeaseStore', () => {
  const client = localClient(inject('dynamodbEndpoint'))
  describesALeaseStore(async () => {
    const tableName = await createLeaseTable(client)
    return {
      store: new DynamoDBLeaseStore({ tableName, client }),
      read: () => leaseRow(client, tableName),
      edit: (changes) => editRow(client, tableName, changes),
    }
  })
})
