/** How the store reads answers that DynamoDB Local does not give. */
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { DynamoDBLeaseStore, systemClock } from '../../functions/election/index.ts'
import { simulatedClient } from '../../functions/election/testing/dynamodb/client.ts'
import { acquireRequest, holderWrite, NOW_MS, tenureOf } from '../../functions/election/testing/requests.ts'
import { answeringClient, errorAnswer, retryingClient, type WireAnswer } from './answering-client.ts'
import { transport } from './transport.ts'

const CONFLICT = errorAnswer('TransactionConflictException')
const EMPTY: WireAnswer = { status: 200, body: {} }
const TOKEN = 'd3b07384-d9a0-4c9b-8f5e-2b7f5b2c1e11'
const ann = tenureOf(acquireRequest(), NOW_MS)

/** A store that gets these answers, with its sleeps, which take no time. */
const storeAnswered = (...answers: readonly WireAnswer[]) => storeOf(answeringClient(...answers))

function storeOf({ client, requests }: ReturnType<typeof answeringClient>, whileSleeping = () => {}) {
  const sleeps: number[] = []
  const sleep = async (ms: number) => {
    sleeps.push(ms)
    whileSleeping()
  }
  const store = new DynamoDBLeaseStore({ tableName: 'leases', client, clock: { ...systemClock, sleep } })
  return { store, requests, sleeps }
}

/** The SDK's pauses become none, and jitter 0.5 and no more. */
function withoutRandomness(): void {
  const random = vi.spyOn(Math, 'random').mockReturnValue(0)
  onTestFinished(() => random.mockRestore())
}

const canceled = (...codes: readonly (string | undefined)[]) =>
  errorAnswer('TransactionCanceledException', {
    CancellationReasons: codes.map((Code) => (Code === undefined ? {} : { Code })),
  })
const outcomeOf = (running: Promise<unknown>) => running.catch((error: unknown) => error)

describe('an acquire that is answered', () => {
  it.each(['TransactionConflictException', 'ReplicatedWriteConflictException', 'TransactionInProgressException'])(
    'by %s alone is contended, after longer and longer pauses',
    async (conflict) => {
      withoutRandomness()
      const { store, sleeps } = storeAnswered(errorAnswer(conflict))
      expect(await store.acquire(acquireRequest())).toStrictEqual({
        granted: false,
        contended: true,
        unanswered: false,
      })
      expect(sleeps).toEqual([25, 50, 75])
    },
  )

  it.each([
    ['lost', undefined],
    ['answered by an outage', errorAnswer('InternalServerError', {}, 500)],
  ])('by conflicts after a try that was %s is contended, and may have been granted unseen', async (_, first) => {
    withoutRandomness()
    const { store } = storeOf(retryingClient(3, first, { ...CONFLICT, dateMs: NOW_MS }))
    const reply = await store.acquire(acquireRequest())
    expect(reply).toMatchObject({ contended: true, unanswered: true, clockReading: { dateMs: NOW_MS } })
  })

  it('without a time says nothing of the clock, and with one what it says', async () => {
    const { store } = storeAnswered(EMPTY, { status: 200, body: {}, dateMs: NOW_MS })
    expect((await store.acquire(acquireRequest())).valueOf()).toHaveProperty('clockReading', undefined)
    const reply = await store.acquire(acquireRequest())
    expect(reply).toMatchObject({ granted: true, clockReading: { dateMs: NOW_MS } })
  })

  it('by a conflict is sent no more once its signal aborts', async () => {
    const stop = new AbortController()
    const { store, requests } = storeOf(answeringClient(CONFLICT), () => stop.abort(new Error('the invocation ends')))
    expect(await outcomeOf(store.acquire(acquireRequest(), stop.signal))).toBeInstanceOf(Error)
    expect(requests).toHaveLength(1)
  })

  it('by a refusal without a row got no answer that could be believed', async () => {
    const { store } = storeAnswered(errorAnswer('ConditionalCheckFailedException'))
    await expect(store.acquire(acquireRequest())).rejects.toMatchObject({ name: 'LeaseStoreError', lease: 'billing' })
  })

  it.each([
    ['ValidationException', 'An operand in the update expression has an incorrect data type', 'CorruptLeaseError'],
    ['ValidationException', 'The table is busy', 'LeaseStoreError'],
    ['AccessDeniedException', 'An operand in the update expression has an incorrect data type', 'LeaseStoreError'],
  ])('by %s, %s, is a %s', async (type, message, name) => {
    const { store } = storeAnswered(errorAnswer(type, { message }))
    await expect(store.acquire(acquireRequest())).rejects.toMatchObject({ name, lease: 'billing' })
  })
})

it('a request on the lease row has the signal that it was given, which can end it in flight', async () => {
  const { signal } = new AbortController()
  const seen: unknown[] = []
  const client = simulatedClient(
    (_operation, _body, given) => {
      seen.push(given)
      return { status: 200, body: {} }
    },
    {},
    transport(),
  )
  const store = new DynamoDBLeaseStore({ tableName: 'leases', client })
  await store.acquire(acquireRequest(), signal)
  await store.write(holderWrite(ann, 'renew'), signal)
  await store.write(holderWrite(ann, 'renew'))
  expect(seen.map((given) => given === signal)).toEqual([true, true, false])
})

describe('a write of the task', () => {
  const put = { TableName: 'invoices', Item: { id: 1 } }

  it('that is refused says why, and whether an earlier try may be applied', async () => {
    const { store } = storeAnswered(errorAnswer('ValidationException'))
    const cause = expect.objectContaining({ name: 'ValidationException' })
    expect(await store.send(put)).toStrictEqual({ granted: false, cause, unanswered: false })
  })

  it.each<[string, string, ReturnType<typeof answeringClient>]>([
    ['no answer', 'Error', answeringClient(undefined)],
    ['no answer but to its first try', 'Error', retryingClient(2, errorAnswer('ThrottlingException'), undefined)],
    ['an answer that is cut behind its head', 'SyntaxError', answeringClient({ status: 200, body: '{"Cons' })],
  ])('that got %s fails with the error of the SDK', async (_, name, client) => {
    withoutRandomness()
    await expect(storeOf(client).store.send(put)).rejects.toMatchObject({ name })
  })

  it('that the SDK cannot send fails with the error of the SDK, alone and in a transaction', async () => {
    const { store } = storeAnswered()
    const unsendable = { TableName: 'invoices', Item: { at: new Date() } }
    await expect(store.send(unsendable)).rejects.toThrow(/^Unsupported type/)
    await expect(store.transact(ann, [{ Put: unsendable }], TOKEN)).rejects.toThrow(/^Unsupported type/)
  })
})

it("the caller's layers, which may log errors, see the row of a failed condition only if it asked for it", async () => {
  const Item = { id: { N: '1' }, secret: { S: 'x' } }
  const given = answeringClient(errorAnswer('ConditionalCheckFailedException', { Item }))
  const seen: boolean[] = []
  const layer = (next: (args: never) => Promise<never>) => (args: never) =>
    next(args).catch((error: Error) => {
      seen.push('Item' in error)
      throw error
    })
  Reflect.apply(given.client.middlewareStack.add, given.client.middlewareStack, [layer, { step: 'initialize' }])
  const { store } = storeOf(given)
  const put = { TableName: 'invoices', Item: { id: 1 } }
  await outcomeOf(store.acquire(acquireRequest()))
  await store.send(put)
  await store.send({ ...put, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' })
  // The first is of the request on the lease row, which may go without the SDK and the layers of its client.
  expect(seen).toEqual([...(transport().isLean ? [] : [false]), false, true])
})

describe('servers', () => {
  it('learn from a read that the store does not serve', async () => {
    const { store } = storeAnswered(errorAnswer('AccessDeniedException'))
    await expect(store.standing.read('billing')).rejects.toMatchObject({ name: 'LeaseStoreError', lease: 'billing' })
  })

  it('lead on after a renewal that was granted, though the row is damaged otherwise', async () => {
    const { store } = storeAnswered({ status: 200, body: { Attributes: { fencingToken: { S: 'x' } } }, dateMs: NOW_MS })
    const reply = await store.standing.renew(holderWrite(ann, 'renew'))
    expect(reply).toMatchObject({ granted: true, look: { clockReading: { dateMs: NOW_MS } } })
  })
})

describe('a transaction', () => {
  const item = { Delete: { TableName: 'invoices', Key: { id: 1 } } }

  it.each([
    ['the caller’s own condition', ['None', 'ConditionalCheckFailed', 'None'], 'TransactionCanceledException', 1],
    ['the caller’s own item', ['TransactionConflict', 'ValidationError'], 'TransactionCanceledException', 1],
    ['the size of its own item', ['None', 'ItemCollectionSizeLimitExceeded'], 'TransactionCanceledException', 1],
    ['conflicts alone', ['None', 'TransactionConflict'], 'LeaseStoreError', 4],
    ['conflicts, the rest being unsaid', [undefined, 'TransactionConflict'], 'LeaseStoreError', 4],
    ['a reason for the lease row that is not its condition', ['ThrottlingError', 'None'], 'LeaseStoreError', 1],
    ['reasons that say nothing', ['None', 'None'], 'LeaseStoreError', 1],
    ['reasons without a code', [undefined, undefined], 'LeaseStoreError', 1],
    ['no reasons', [], 'LeaseStoreError', 1],
  ])(
    'that was cancelled for %s is reported as such, and retried only after conflicts',
    async (_, codes, name, tries) => {
      const { store, requests } = storeAnswered(canceled(...codes))
      expect(await outcomeOf(store.transact(ann, [item], TOKEN))).toMatchObject({ name })
      expect(requests).toHaveLength(tries)
    },
  )

  it('that was cancelled for the caller’s item, after a try without an answer, may still be applied', async () => {
    withoutRandomness()
    const { store, requests } = storeOf(
      retryingClient(2, { status: 500, body: {} }, canceled('None', 'ConditionalCheckFailed')),
    )
    const error = await outcomeOf(store.transact(ann, [item], TOKEN))
    expect(error).toMatchObject({ name: 'LeaseStoreError', retryable: false, applied: 'unknown' })
    expect(error).toMatchObject({ cause: { name: 'TransactionCanceledException' } })
    expect(requests).toHaveLength(2)
  })

  it('whose answer is cut behind its head may have been applied', async () => {
    const { store } = storeAnswered({ status: 200, body: '{"Cons' })
    expect(await outcomeOf(store.transact(ann, [item], TOKEN))).toMatchObject({ applied: 'unknown' })
    expect(await outcomeOf(store.acquire(acquireRequest()))).toMatchObject({ applied: 'unknown' })
  })

  it('without a table may be wrong about one of its items; a completion is sent again', async () => {
    const { store } = storeAnswered(errorAnswer('ResourceNotFoundException'))
    await expect(store.transact(ann, [item], TOKEN)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    const completion = store.completeWith(holderWrite(ann, 'complete'), [item], TOKEN)
    await expect(completion).rejects.toMatchObject({ name: 'LeaseStoreError', retryable: true })
  })

  it('that was cancelled without any list of reasons is open', async () => {
    const { store } = storeAnswered(errorAnswer('TransactionCanceledException'))
    const error = { name: 'LeaseStoreError', retryable: true }
    await expect(store.transact(ann, [item], TOKEN)).rejects.toMatchObject(error)
  })

  it('that the lease row refuses without showing itself is refused', async () => {
    const { store } = storeAnswered(canceled('ConditionalCheckFailed', 'None'))
    expect(await store.transact(ann, [item], TOKEN)).toStrictEqual({ granted: false })
  })
})
