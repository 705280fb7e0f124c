import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DynamoDBClient,
  TransactionCanceledException,
  TransactionConflictException,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { type Clock, jitter, systemClock } from '../clock.ts'
import { CorruptLeaseError, InvalidOptionError } from '../errors.ts'
import { type AcquireRequest, acquired, type GiveBackRequest, type HolderWrite, type Tenure } from '../rules.ts'
import { storeError, transactionError, unstorable } from './dynamodb-errors.ts'
import { acquireUpdate, giveBackUpdate, guardCondition, holderUpdate, type LeaseUpdate } from './expressions.ts'
import { type AttributeMap, LEASE_RECORD, readRow } from './row.ts'
import type { AcquireReply, Effects, LeaseStore, Row, TransactItem, WriteInput, WriteReply } from './store.ts'
import { observeWire } from './wire.ts'

/**
 * Leases in a DynamoDB table (partition key `lease`, sort key `record`). A win, a loss, a renewal and a completion are one
 * request each: the row comes with the reply (`ALL_OLD`), so nobody reads it separately.
 *
 * Limits. One Region, or a global table with strong consistency: in eventual mode the last writer wins and nobody is
 * excluded. The table must not be restored to an older copy while candidates run (docs/protocol.md, What remains).
 */
export interface DynamoDBLeaseStoreOptions {
  /** Checked when constructed, so that `process.env.LEASE_TABLE` can be given as it is. */
  readonly tableName: string | undefined
  /**
   * Your own client, for its Region, credentials and retries. Give it time-outs: the SDK waits for ever by default, and
   * its `requestTimeout` only warns unless `throwOnRequestTimeout` is set.
   *
   * @default a client with 3 tries, 1 s to connect and 2 s to answer
   */
  readonly client?: DynamoDBClient | DynamoDBDocumentClient
  /** @default the system's */
  readonly clock?: Clock
}

/** How often a request that met a transaction on the same row is tried before it counts as contended. */
const CONFLICT_TRIES = 4
const CONFLICT_DELAY_MS = 50

export class DynamoDBLeaseStore implements LeaseStore, Effects {
  readonly #tableName: string
  readonly #client: DynamoDBDocumentClient
  readonly #clock: Clock

  /** @throws InvalidOptionError without a table name */
  constructor({ tableName, client = clientWithTimeouts(), clock = systemClock }: DynamoDBLeaseStoreOptions) {
    if (typeof tableName !== 'string' || tableName === '') {
      throw new InvalidOptionError(
        `DynamoDBLeaseStore needs the option tableName, the name of the lease table, but got ${JSON.stringify(tableName)}. Is the environment variable set?`,
      )
    }
    this.#tableName = tableName
    this.#client = client instanceof DynamoDBDocumentClient ? client : documentClient(client)
    this.#clock = clock
  }

  get effects(): Effects {
    return this
  }

  async acquire(request: AcquireRequest): Promise<AcquireReply> {
    const { lease } = request
    const command = this.#leaseCommand(lease, acquireUpdate(request), 'ALL_OLD')
    const wire = observeWire(command, this.#clock)
    try {
      const { Attributes } = await this.#retryConflicts(() => this.#client.send(command))
      const inherited = Attributes === undefined ? undefined : readRow(Attributes, lease)
      return { granted: true, record: acquired(inherited, request), clockReading: wire.clockReading }
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException && error.Item !== undefined) {
        return { granted: false, record: readRow(error.Item, lease), clockReading: wire.clockReading }
      }
      if (error instanceof TransactionConflictException) {
        return { granted: false, contended: true, unanswered: wire.unanswered }
      }
      throw this.#failure(error, lease)
    }
  }

  async write(request: HolderWrite): Promise<WriteReply> {
    return await this.#conditionalWrite(request.lease, holderUpdate(request))
  }

  async giveBack(request: GiveBackRequest): Promise<WriteReply> {
    return await this.#conditionalWrite(request.lease, giveBackUpdate(request))
  }

  async completeWith(request: HolderWrite, items: readonly TransactItem[]): Promise<WriteReply> {
    return await this.#transact(request.lease, [
      { Update: this.#onLeaseRow(request.lease, holderUpdate(request)) },
      ...items,
    ])
  }

  async transact(tenure: Tenure, items: readonly TransactItem[]): Promise<WriteReply> {
    const guard = { ConditionCheck: this.#onLeaseRow(tenure.lease, guardCondition(tenure)) }
    return await this.#transact(tenure.lease, [guard, ...items])
  }

  async send(input: WriteInput): Promise<Row | undefined> {
    const { Attributes } = await this.#retryConflicts(() => {
      if ('Item' in input) return this.#client.send(new PutCommand(input))
      if ('UpdateExpression' in input) return this.#client.send(new UpdateCommand(input))
      return this.#client.send(new DeleteCommand(input))
    })
    return Attributes
  }

  async #conditionalWrite(lease: string, update: LeaseUpdate): Promise<WriteReply> {
    try {
      const command = this.#leaseCommand(lease, update, 'NONE')
      await this.#retryConflicts(() => this.#client.send(command))
      return { granted: true }
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return refused(error.Item, lease)
      throw this.#failure(error, lease)
    }
  }

  #leaseCommand(lease: string, update: LeaseUpdate, ReturnValues: 'ALL_OLD' | 'NONE'): UpdateItemCommand {
    return new UpdateItemCommand({
      TableName: this.#tableName,
      Key: { lease: { S: lease }, record: { S: LEASE_RECORD } },
      ...update,
      ExpressionAttributeValues: toAttributes(update.ExpressionAttributeValues, lease),
      ReturnValues,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    })
  }

  async #transact(lease: string, items: TransactItem[]): Promise<WriteReply> {
    try {
      await this.#retryConflicts(() => this.#client.send(new TransactWriteCommand({ TransactItems: items })))
      return { granted: true }
    } catch (error) {
      if (error instanceof TransactionCanceledException) {
        const [ofLease, ...ofItems] = error.CancellationReasons ?? []
        if (ofLease?.Code === 'ConditionalCheckFailed') return refused(ofLease.Item, lease)
        // The caller's own conditions: they reach the caller as DynamoDB sent them.
        if (ofItems.some(({ Code }) => Code !== undefined && Code !== 'None' && Code !== 'TransactionConflict'))
          throw error
      }
      throw transactionError(error, lease, this.#tableName)
    }
  }

  #onLeaseRow<T extends object>(lease: string, expressions: T) {
    return {
      TableName: this.#tableName,
      Key: { lease, record: LEASE_RECORD },
      ...expressions,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    }
  }

  /** The SDK does not retry a conflict with a transaction on the same row; it passes in milliseconds. */
  async #retryConflicts<T>(send: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await send()
      } catch (error) {
        if (tries === CONFLICT_TRIES || !isConflict(error)) throw error
        await this.#clock.sleep(CONFLICT_DELAY_MS * tries * jitter())
      }
    }
  }

  #failure(error: unknown, lease: string): unknown {
    if (error instanceof CorruptLeaseError || error instanceof InvalidOptionError) return error
    if (
      error instanceof Error &&
      error.name === 'ValidationException' &&
      /operand|incorrect data type/i.test(error.message)
    ) {
      return new CorruptLeaseError(
        `The row of lease "${lease}" in table "${this.#tableName}" is damaged: attribute "fencingToken" should be a number. Repair it with a number higher than any token used before.`,
        { lease, attribute: 'fencingToken', cause: error },
      )
    }
    return storeError(error, lease, this.#tableName)
  }
}

function refused(item: AttributeMap | undefined, lease: string): WriteReply {
  return item === undefined ? { granted: false } : { granted: false, record: readRow(item, lease) }
}

function isConflict(error: unknown): boolean {
  if (error instanceof TransactionConflictException) return true
  if (!(error instanceof TransactionCanceledException)) return false
  const failed = (error.CancellationReasons ?? [])
    .map(({ Code }) => Code)
    .filter((code) => code !== 'None' && code !== undefined)
  return failed.length > 0 && failed.every((code) => code === 'TransactionConflict')
}

function toAttributes(values: Record<string, unknown>, lease: string): Record<string, AttributeValue> {
  try {
    return marshall(values, { removeUndefinedValues: true })
  } catch (error) {
    throw unstorable(error, lease)
  }
}

function documentClient(client: DynamoDBClient): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } })
}

function clientWithTimeouts(): DynamoDBClient {
  return new DynamoDBClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
  })
}
