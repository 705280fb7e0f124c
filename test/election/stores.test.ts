import { describe, inject, it } from 'vitest'
import { DynamoDBLeaseStore } from '../../functions/election/index.ts'
import { leaseStoreConformance, MemoryLeaseStore } from '../../functions/election/testing/index.ts'
import { editRow, leaseRow } from '../support/lease-row.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'

describe('MemoryLeaseStore', () => {
  leaseStoreConformance({
    describe,
    it,
    createStore: async () => {
      const store = new MemoryLeaseStore()
      const read = async () => store.read('billing')
      return { store, read, edit: async (changes) => store.edit('billing', changes) }
    },
  })
})

describe('DynamoDBLeaseStore', () => {
  const client = localClient(inject('dynamodbEndpoint'))
  leaseStoreConformance({
    describe,
    it,
    createStore: async () => {
      const tableName = await createLeaseTable(client)
      const read = () => leaseRow(client, tableName)
      const edit = (changes: object) => editRow(client, tableName, { ...changes })
      return { store: new DynamoDBLeaseStore({ tableName, client }), read, edit }
    },
  })
})
