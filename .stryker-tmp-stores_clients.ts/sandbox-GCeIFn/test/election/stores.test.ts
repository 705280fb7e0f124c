// @ts-nocheck
import { describe, inject, it } from 'vitest'
import { leaseStoreConformance, MemoryLeaseStore } from '../../functions/election/testing/index.ts'
import { storeUnderTest } from '../support/lease-row.ts'
import { localClient } from '../support/tables.ts'
import { storeAt } from './transport.ts'

describe('MemoryLeaseStore', () => {
  leaseStoreConformance({
    describe,
    it,
    createStore: async () => {
      const store = new MemoryLeaseStore()
      return { store, read: () => store.read('billing'), edit: (changes) => store.edit('billing', changes) }
    },
  })
})

describe('DynamoDBLeaseStore', () => {
  const endpoint = inject('dynamodbEndpoint')
  const client = localClient(endpoint)
  leaseStoreConformance({
    describe,
    it,
    createStore: () => storeUnderTest(client, (tableName) => storeAt(endpoint, { tableName, client })),
  })
})
