import { unmarshall } from '@aws-sdk/util-dynamodb'
import { type Clock, checkedClock, jitter, systemClock } from '../clock.ts'
import { CorruptLeaseError, InvalidOptionError } from '../errors.ts'
import {
  type AcquireRequest,
  acquired,
  type GiveBackRequest,
  type HolderWrite,
  type Reply,
  type Tenure,
  type TransferRequest,
} from '../rules.ts'
import { show } from '../show.ts'
import {
  type About,
  damagedToken,
  isCancelled,
  isConditionFailed,
  isConflict,
  isFinal,
  isOperandError,
  mayBeApplied,
  storeError,
  transactionError,
} from './dynamodb-errors.ts'
import {
  acquireUpdate,
  giveBackUpdate,
  guardCondition,
  holderUpdate,
  type LeaseUpdate,
  transferUpdate,
} from './expressions.ts'
import { leanTransport } from './lean-wire.ts'
import { type AttributeMap, attributesOf, LEASE_RECORD, readRow } from './row.ts'
import type { SdkTransport } from './sdk.ts'
import { type Lent, lent, type SdkClient } from './sdk-client.ts'
import { lookOf, standingReads } from './standing.ts'
import type {
  AcquireReply,
  Effects,
  LeaseStore,
  Look,
  Row,
  SendReply,
  StandingStore,
  TransactItem,
  WriteInput,
  WriteReply,
} from './store.ts'
import { readyTransports } from './transports.ts'
import { type SendToTable, type TableRequest, Wire } from './wire.ts'

export interface DynamoDBLeaseStoreOptions {
  /** Checked when constructed, so that `process.env.LEASE_TABLE` can be given as it is. */
  readonly tableName: string | undefined
  /**
   * Your own client, raw or document, of any copy of the SDK from 3.600.0 on. It is not changed. The task's writes go
   * through it as it is, marshalled with the options of a document client.
   *
   * Requests on the lease row have the client's Region, credentials, endpoint, TLS options and middleware, but their
   * own connections, and retries in standard mode, as many as its `maxAttempts` allows. If it has no time-outs, each
   * try has 1 s to connect and 2 s to answer. All stores of one client share these connections; an idle one is closed
   * after a minute.
   *
   * An agent other than Node's own (such as one for a proxy), or a request handler other than the SDK's
   * `NodeHttpHandler`, is shared: effects use at most nine tenths of its connections (of 50 if the number is unknown;
   * HTTP/2 has no such limit), and other requests of the client may delay those on the lease row. Such a handler keeps
   * the time-outs that you gave it.
   * @default a DynamoDBClient with these time-outs, for effects too. In Lambda a bundle loads it for effects alone:
   *   requests on the lease row go without the SDK, so that a standby starts fast, unless the environment or a file in
   *   `~/.aws` has settings that only the SDK knows, such as AWS_USE_FIPS_ENDPOINT. Give a client if it is traced, or
   *   set up in code. A test that sets AWS_LAMBDA_FUNCTION_NAME sends real requests although it mocks the SDK: give a
   *   client, or call `setTestDefaults` of `tenure/testing`
   */
  readonly client?: SdkClient
  /** @default the system's */
  readonly clock?: Clock
}

/** How often a request that conflicts with a transaction on the row is tried before it counts as contended. */
const CONFLICT_TRIES = 4
const CONFLICT_DELAY_MS = 50

/**
 * Leases in a DynamoDB table (partition key `lease`, sort key `record`). A win, a loss, a renewal and a completion are
 * one request each: the row comes with the reply, so no candidate reads it separately.
 *
 * Limits: one Region, or a global table with strong consistency; with eventual consistency the last writer wins, and
 * two candidates can lead. Do not restore an older copy of the table while candidates run (docs/protocol.md).
 */
export class DynamoDBLeaseStore implements LeaseStore, Effects {
  readonly #tableName: string
  readonly #lent: Lent | undefined
  /** Requests on lease rows without the SDK, if that is possible. */
  readonly #lean: SendToTable | undefined
  #sdk: SdkTransport | undefined
  readonly #clock: Clock

  /** @throws InvalidOptionError without a table name, or if `client` is not a client of DynamoDB */
  constructor(options: DynamoDBLeaseStoreOptions) {
    if (typeof options !== 'object' || options === null) {
      throw new InvalidOptionError(
        `The options of DynamoDBLeaseStore are ${show(options)}, but must be an object: ` +
          'new DynamoDBLeaseStore({ tableName: process.env.LEASE_TABLE }).',
      )
    }
    const { tableName, client, clock = systemClock, ...unknown } = options
    const [misspelt] = Object.keys(unknown)
    if (misspelt !== undefined) {
      throw new InvalidOptionError(
        `DynamoDBLeaseStore has no option ${show(misspelt)}. Options: tableName, client, clock. ` +
          'What the SDK needs, such as a Region, belongs to the client: new DynamoDBClient({ region }).',
      )
    }
    if (typeof tableName !== 'string' || tableName === '') {
      throw new InvalidOptionError(
        `DynamoDBLeaseStore needs the option tableName, the name of the lease table, but it is ${show(tableName)}. ` +
          'Is the environment variable set?',
      )
    }
    this.#tableName = tableName
    this.#clock = checkedClock(clock)
    this.#lent = client === undefined ? undefined : lent(client)
    const ready = client && readyTransports.get(client)
    this.#sdk = ready?.sdk
    this.#lean = client === undefined ? leanTransport(process.env) : ready?.lean
    // So that the first invocation need not wait for it. If it fails, the request says why.
    if (this.#lean === undefined) this.#loadSdk().catch(() => undefined)
  }

  async #loadSdk(): Promise<SdkTransport> {
    if (this.#sdk !== undefined) return this.#sdk
    const { sdkTransport } = await import('./sdk.ts')
    this.#sdk ??= sdkTransport(this.#lent)
    return this.#sdk
  }

  get effects(): Effects {
    return this
  }

  get standing(): StandingStore {
    return {
      ...standingReads(this.#tableName, async (lease, request) => {
        const wire = new Wire(this.#clock)
        const send = await this.#sender()
        try {
          return { answer: await send(request, wire), wire }
        } catch (error) {
          throw isConditionFailed(error) ? error : this.#failure(error, lease, wire)
        }
      }),
      renew: (request, signal) => this.#renewAndLook(request, signal),
      requestTransfer: (request) => this.#requestTransfer(request),
    }
  }

  async acquire(request: AcquireRequest, abortSignal?: AbortSignal): Promise<AcquireReply> {
    const { lease } = request
    const wire = new Wire(this.#clock)
    const update = this.#leaseRequest(lease, acquireUpdate(request), 'ALL_OLD')
    const send = await this.#sender()
    try {
      const { Attributes } = await this.#retryConflicts(() => send(update, wire, abortSignal), abortSignal)
      const inherited = Attributes === undefined ? undefined : readRow(Attributes, lease)
      return { granted: true, record: acquired(inherited, request), clockReading: wire.clockReading }
    } catch (error) {
      if (isConditionFailed(error) && wire.row !== undefined) {
        return { granted: false, record: readRow(wire.row, lease), clockReading: wire.clockReading }
      }
      if (isConflict(error)) {
        const { unanswered, clockReading } = wire
        return { granted: false, contended: true, unanswered, ...(clockReading === undefined ? {} : { clockReading }) }
      }
      throw this.#failure(error, lease, wire)
    }
  }

  async write(request: HolderWrite, signal?: AbortSignal): Promise<WriteReply> {
    return await this.#conditionalWrite(request.lease, holderUpdate(request), signal)
  }

  async giveBack(request: GiveBackRequest, signal?: AbortSignal): Promise<WriteReply> {
    return await this.#conditionalWrite(request.lease, giveBackUpdate(request), signal)
  }

  async completeWith(request: HolderWrite, items: readonly TransactItem[], token: string): Promise<WriteReply> {
    const completion = { Update: this.#onLeaseRow(request.lease, holderUpdate(request)) }
    return await this.#transact(request.lease, [completion, ...items], token, true)
  }

  async transact(tenure: Tenure, items: readonly TransactItem[], token: string): Promise<WriteReply> {
    const guard = { ConditionCheck: this.#onLeaseRow(tenure.lease, guardCondition(tenure)) }
    return await this.#transact(tenure.lease, [guard, ...items], token, false)
  }

  async send(input: WriteInput): Promise<SendReply> {
    const wire = new Wire(this.#clock)
    const showsRow = input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD'
    // The row is always requested: it shows whether an earlier try was applied.
    const asked = { ...input, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const }
    const sdk = await this.#loadSdk()
    try {
      const { Attributes } = await this.#retryConflicts(() => sdk.write(asked, wire, showsRow))
      return { granted: true, attributes: Attributes, unanswered: wire.unanswered }
    } catch (cause) {
      if (!(cause instanceof Error) || !wire.answered) throw cause
      const { unanswered } = wire
      if (!isConditionFailed(cause)) return { granted: false, cause, unanswered }
      return { granted: false, cause, unanswered, conditionFailed: { item: wire.row } }
    }
  }

  toRow(item: AttributeMap): Row {
    // Document commands set this option to true, in the caller's own object, for values that are not rows.
    return unmarshall(item, { ...this.#sdk?.unmarshallOptions, convertWithoutMapWrapper: false })
  }

  async #conditionalWrite(lease: string, update: LeaseUpdate, signal?: AbortSignal): Promise<WriteReply> {
    const { granted, item } = await this.#update(lease, update, 'NONE', signal)
    return granted ? { granted } : refused(item, lease)
  }

  async #renewAndLook(request: HolderWrite, signal?: AbortSignal): Promise<WriteReply & { readonly look?: Look }> {
    const { lease } = request
    const { granted, item, wire } = await this.#update(lease, holderUpdate(request), 'ALL_NEW', signal)
    return granted ? { granted, look: leniently(item, lease, wire) } : refused(item, lease)
  }

  async #requestTransfer(request: TransferRequest): Promise<Reply> {
    const { lease } = request
    const { granted, item } = await this.#update(lease, transferUpdate(request), 'ALL_NEW')
    return granted ? { granted, record: readRow(item ?? {}, lease) } : { granted, record: item && readRow(item, lease) }
  }

  /** @returns the row as it was returned: by the write, or with the refusal of its condition */
  async #update(lease: string, update: LeaseUpdate, ReturnValues: 'ALL_NEW' | 'NONE', abortSignal?: AbortSignal) {
    const wire = new Wire(this.#clock)
    const request = this.#leaseRequest(lease, update, ReturnValues)
    const send = await this.#sender()
    try {
      const { Attributes } = await this.#retryConflicts(() => send(request, wire, abortSignal), abortSignal)
      return { granted: true, item: Attributes, wire } as const
    } catch (error) {
      if (isConditionFailed(error)) return { granted: false, item: wire.row, wire } as const
      throw this.#failure(error, lease, wire)
    }
  }

  /** Called outside of what describes the errors of requests: an error of the caller's client is thrown unchanged. */
  async #sender(): Promise<SendToTable> {
    return this.#lean ?? (await this.#loadSdk()).sendToTable
  }

  #leaseRequest(lease: string, update: LeaseUpdate, ReturnValues: 'ALL_OLD' | 'ALL_NEW' | 'NONE'): TableRequest {
    const input = {
      TableName: this.#tableName,
      Key: { lease: { S: lease }, record: { S: LEASE_RECORD } },
      ...update,
      ExpressionAttributeValues: attributesOf(update.ExpressionAttributeValues),
      ReturnValues,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    }
    return { operation: 'UpdateItem', input }
  }

  async #transact(lease: string, items: TransactItem[], token: string, isEnd: boolean): Promise<WriteReply> {
    const wire = new Wire(this.#clock)
    const sdk = await this.#loadSdk()
    try {
      await this.#retryConflicts(() => sdk.transact(items, token, wire, isEnd))
      return { granted: true }
    } catch (error) {
      if (isCancelled(error)) {
        const ofLease = error.CancellationReasons?.[0]
        if (ofLease?.Code === 'ConditionalCheckFailed') return refused(ofLease.Item, lease)
        // The caller gets errors of its own items unchanged, unless an earlier try may still arrive.
        if (isFinal(error)) throw wire.unanswered ? mayBeApplied(error, this.#about(lease, wire)) : error
      }
      const about = { ...this.#about(lease, wire), wasSerialized: wire.serialized, isEnd }
      throw transactionError(error, about)
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

  /** A conflict with another write to the same row passes in milliseconds. */
  async #retryConflicts<T>(send: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await send()
      } catch (error) {
        if (tries === CONFLICT_TRIES || !isConflict(error)) throw error
        await this.#clock.sleep(CONFLICT_DELAY_MS * tries * jitter(), signal)
        signal?.throwIfAborted()
      }
    }
  }

  #about(lease: string, { unanswered }: Wire): About {
    return { lease, tableName: this.#tableName, applied: unanswered ? 'unknown' : 'no' }
  }

  #failure(error: unknown, lease: string, wire: Wire): unknown {
    if (error instanceof CorruptLeaseError) return error
    if (isOperandError(error)) return damagedToken(error, lease, this.#tableName)
    return storeError(error, this.#about(lease, wire))
  }
}

/** A renewal that was granted counts, whatever an operator mistyped in the row. */
function leniently(item: AttributeMap | undefined, lease: string, wire: Wire): Look {
  try {
    return lookOf(item, lease, wire)
  } catch {
    return lookOf(undefined, lease, wire)
  }
}

function refused(item: AttributeMap | undefined, lease: string): WriteReply {
  return item === undefined ? { granted: false } : { granted: false, record: readRow(item, lease) }
}
