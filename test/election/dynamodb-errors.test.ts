import { describe, expect, it } from 'vitest'
import { LeaseStoreError } from '../../functions/election/index.ts'
import { storeError, transactionError } from '../../functions/election/stores/dynamodb-errors.ts'

/** An error as the SDK throws it after it has sent something. */
function sdkError(name: string, fault?: 'client' | 'server', message = 'as DynamoDB puts it'): Error {
  return Object.assign(new Error(message), { name, $metadata: { attempts: 1 }, ...(fault && { $fault: fault }) })
}

describe('what went wrong with the lease row', () => {
  it.each([
    ['ResourceNotFoundException', 'client', false, /no table "leases".*Deploy the LeaseTable/],
    ['AccessDeniedException', 'client', false, /role needs dynamodb:UpdateItem/],
    ['ExpiredTokenException', 'client', false, /Not permitted/],
    ['ThrottlingException', 'client', true, /throttled/],
    ['ProvisionedThroughputExceededException', 'client', true, /throttled/],
    ['TransactionConflictException', 'client', true, /others were under way/],
    ['ValidationException', 'client', false, /form of the request/],
    ['ItemCollectionSizeLimitExceededException', 'client', false, /refused the request/],
    ['InternalServerError', 'server', true, /gave no answer/],
    ['TimeoutError', undefined, true, /gave no answer/],
  ] as const)('%s says what to do, and whether trying again may help', (name, fault, retryable, text) => {
    const cause = sdkError(name, fault)
    const error = storeError(cause, 'billing', 'leases')
    expect(error).toBeInstanceOf(LeaseStoreError)
    expect(error).toMatchObject({ retryable, cause, lease: 'billing', message: expect.stringMatching(text) })
  })

  it('takes anything that was thrown', () => {
    expect(storeError('socket hang up', 'billing', 'leases')).toMatchObject({ retryable: true })
  })
})

describe('what went wrong with a transaction', () => {
  const judged = (cause: unknown) => transactionError(cause, 'billing', 'leases')

  it.each([
    ['TransactionInProgressException', 'client'],
    ['TransactionCanceledException', 'client'],
    ['ThrottlingException', 'client'],
    ['InternalServerError', 'server'],
    ['TimeoutError', undefined],
  ] as const)('%s leaves its outcome open, so that asking again may help', (name, fault) => {
    expect(judged(sdkError(name, fault))).toMatchObject({ name: 'LeaseStoreError', retryable: true })
  })

  it.each(['ValidationException', 'ResourceNotFoundException', 'AccessDeniedException'])(
    '%s is the caller’s own, and handed on as it is',
    (name) => {
      const cause = sdkError(name, 'client')
      expect(judged(cause)).toBe(cause)
    },
  )

  it('what the SDK could not even send is handed on as it is', () => {
    const cause = new Error('Unsupported type passed')
    expect(judged(cause)).toBe(cause)
  })

  it('a table that replicates with strong consistency is told apart, and points to the fence', () => {
    const cause = sdkError('ValidationException', 'client', 'not supported on multi-Region strong consistency tables')
    expect(judged(cause)).toMatchObject({ retryable: false, message: expect.stringContaining('lease.fence()') })
  })
})
