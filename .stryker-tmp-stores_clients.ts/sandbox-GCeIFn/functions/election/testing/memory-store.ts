// @ts-nocheck
import { type DynamoDBClient, GetItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import { InvalidOptionError } from '../errors.ts'
import { type AcquireRequest, acquired, type LeaseRecord } from '../rules.ts'
import { show } from '../show.ts'
import { DynamoDBLeaseStore } from '../stores/dynamodb.ts'
import { LEASE_RECORD, readRow } from '../stores/row.ts'
import type { Row } from '../stores/store.ts'
import { simulatedClient } from './dynamodb/client.ts'
import { SimulatedDynamoDB } from './dynamodb/database.ts'

/** The name of the partition key, or of partition key and sort key. All keys are texts. */
export type MemoryKey = string | readonly [partitionKey: string, sortKey: string]

export interface MemoryLeaseStoreOptions {
  /** The tables that the task writes, by name: `{ Reports: 'id', Ledger: ['customer', 'period'] }`. @default none */
  readonly tables?: Readonly<Record<string, MemoryKey>>
}

export interface MemoryTable {
  /** Puts an item without a condition, as another program may. */
  put(item: Row): Promise<void>
  /** Copies of all items, with the attributes that the fence added. */
  items(): Promise<Row[]>
}

const LEASES = 'tenure-leases'

/**
 * Leases and tables in memory, for tests of a task: DynamoDBLeaseStore with the SDK's own client on a DynamoDB in
 * memory, which checks conditions, applies transactions and refuses what it does not know. It has no clock of its own,
 * so any ManualClock suits it.
 * @example
 * const store = new MemoryLeaseStore({ tables: { Reports: 'id' } })
 * await withLease({ store, lease: 'reports' }, writeReport)
 * await store.table('Reports').items()
 */
export class MemoryLeaseStore extends DynamoDBLeaseStore {
  /** The SDK's client on these tables, for code that reads them. */
  readonly client: DynamoDBClient
  /** For the test's own requests, which lose no replies. */
  readonly #direct: DynamoDBClient
  readonly #replies: { lost: number }

  constructor(options: MemoryLeaseStoreOptions = {}) {
    const { tables = {}, ...unknown } = options
    const database = new SimulatedDynamoDB()
    const replies = { lost: 0 }
    const answer = (operation: string, body: object) => {
      const reply = database.execute(operation, body)
      if (replies.lost === 0) return { ...reply, dateMs: Number.NaN }
      replies.lost--
      throw Object.assign(new Error('The test dropped this reply: store.loseReplies'), { name: 'TimeoutError' })
    }
    const client = simulatedClient(answer, { maxAttempts: 3 })
    super({ tableName: LEASES, client })
    const [misspelt] = Object.keys(unknown)
    if (misspelt !== undefined || Array.isArray(tables)) {
      throw new InvalidOptionError(
        `MemoryLeaseStore takes only { tables: { Reports: 'id' } }, but got ${show(misspelt ?? tables)}.`,
      )
    }
    this.client = client
    this.#direct = simulatedClient((operation, body) => database.execute(operation, body))
    this.#replies = replies
    database.createTable({ name: LEASES, partitionKey: 'lease', sortKey: 'record' })
    for (const [name, key] of Object.entries(tables)) database.createTable({ name, ...schemaOf(name, key) })
  }

  table(name: string): MemoryTable {
    return {
      put: async (item) => this.#put(name, item),
      items: async () => {
        const { Items = [] } = await this.#direct.send(new ScanCommand({ TableName: name }))
        return Items.map((item) => unmarshall(item))
      },
    }
  }

  /** A copy of the lease's row. */
  async read(lease: string): Promise<LeaseRecord | undefined> {
    const Key = marshall({ lease, record: LEASE_RECORD })
    const { Item } = await this.#direct.send(new GetItemCommand({ TableName: LEASES, Key }))
    return Item === undefined ? undefined : readRow(Item, lease)
  }

  /** Changes attributes of the lease's row by hand, as an operator would. */
  async edit(lease: string, changes: Partial<LeaseRecord>): Promise<void> {
    const record = await this.read(lease)
    if (record !== undefined) await this.#put(LEASES, { ...record, ...changes, record: LEASE_RECORD })
  }

  /**
   * Another candidate takes the lease over. The leader learns of it at its next request on the lease row; a row that it
   * writes by `send` is refused only once the other has written that row.
   * @returns the other's fencing token
   */
  async replaceLeader(lease: string): Promise<number> {
    const record = await this.read(lease)
    if (record?.holder === undefined) {
      throw new Error(`There is no leader of lease "${lease}" to replace. Call it while the task runs.`)
    }
    const { tick, writtenAtMs: nowMs, expiresAtMs } = record
    const other = { lease, candidate: 'another candidate', attempt: crypto.randomUUID() }
    const times = { nowMs, expiresAtMs, maxClockSkewMs: 0 }
    const request: AcquireRequest = { ...other, ...times, ...(tick === undefined ? {} : { tick }) }
    const taken = acquired(record, request)
    await this.#put(LEASES, { ...taken, record: LEASE_RECORD })
    return taken.fencingToken
  }

  /**
   * Drops the replies to the next `count` requests, which are applied. The SDK sends a request up to three times, with
   * up to a second of real time between them: one lost reply is repaired by the second try, three are a failure.
   */
  loseReplies(count = 1): void {
    this.#replies.lost = count
  }

  async #put(TableName: string, item: Row): Promise<void> {
    const Item = marshall(item, { removeUndefinedValues: true })
    await this.#direct.send(new PutItemCommand({ TableName, Item }))
  }
}

function schemaOf(name: string, key: MemoryKey) {
  const [partitionKey, sortKey] = typeof key === 'string' ? [key] : Array.isArray(key) ? key : []
  if (typeof partitionKey !== 'string') {
    throw new InvalidOptionError(
      `The key of table ${show(name)} must be the name of its partition key, or both names of a key with a sort key: ` +
        `{ tables: { Reports: 'id', Ledger: ['customer', 'period'] } }. It is ${show(key)}.`,
    )
  }
  return sortKey === undefined ? { partitionKey } : { partitionKey, sortKey }
}
