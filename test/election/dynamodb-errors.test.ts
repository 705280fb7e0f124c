import { describe, expect, it } from 'vitest'
import { LeaseStoreError } from '../../functions/election/index.ts'
import { storeError, transactionError } from '../../functions/election/stores/dynamodb-errors.ts'

/** An error as the SDK throws it after it has sent something. */
function sdkError(name: string, fault?: 'client' | 'server', message = 'as DynamoDB puts it'): Error {
  return Object.assign(new Error(message), { name, $metadata: { attempts: 1 }, ...(fault && { $fault: fault }) })
}

const ABOUT = { lease: 'billing', tableName: 'leases', applied: 'no' } as const

describe('what went wrong with the lease row', () => {
  it.each([
    ['ResourceNotFoundException', 'client', true, /no table "leases".*Deploy the LeaseTable/],
    ['AccessDeniedException', 'client', true, /role needs dynamodb:UpdateItem/],
    ['ExpiredTokenException', 'client', true, /did not accept this candidate's credentials/],
    ['UnrecognizedClientException', 'client', true, /credentials/],
    ['MissingAuthenticationTokenException', 'client', true, /credentials/],
    ['CredentialsProviderError', undefined, true, /credentials/],
    ['InvalidSignatureException', 'client', true, /signature.*clock is wrong/],
    ['ThrottlingException', 'client', true, /throttled/],
    ['ProvisionedThroughputExceededException', 'client', true, /throttled/],
    ['RequestLimitExceeded', 'client', true, /throttled/],
    ['LimitExceededException', 'client', true, /throttled/],
    ['TransactionConflictException', 'client', true, /Other requests were writing the row/],
    ['ReplicatedWriteConflictException', 'client', true, /Other requests were writing the row/],
    ['ValidationException', 'client', false, /form of the request/],
    ['IdempotentParameterMismatchException', 'client', false, /form of the request/],
    ['ANameOfNextYearException', 'client', true, /refused the request/],
    ['constructor', 'client', true, /refused the request/],
    ['InternalServerError', 'server', true, /gave no answer/],
    ['TimeoutError', undefined, true, /gave no answer/],
  ] as const)('%s says what to do, and whether trying again may help', (name, fault, retryable, text) => {
    const cause = sdkError(name, fault)
    const error = storeError(cause, ABOUT)
    expect(error).toBeInstanceOf(LeaseStoreError)
    expect(error).toMatchObject({
      retryable,
      cause,
      lease: 'billing',
      applied: 'no',
      message: expect.stringMatching(text),
    })
  })

  it('does not take a role for a key because of its name', () => {
    const denied =
      'User: arn:aws:sts::1:assumed-role/kms-rotation-role is not authorized to perform: dynamodb:UpdateItem'
    const { message } = storeError(sdkError('AccessDeniedException', 'client', denied), ABOUT)
    expect(message).toMatch(/dynamodb:UpdateItem/)
    expect(message).not.toMatch(/KMS key/)
  })

  it('names the key of KMS if that is what DynamoDB may not use', () => {
    const cause = sdkError('AccessDeniedException', 'client', 'KMS key access denied error: the ciphertext refers to …')
    const { message } = storeError(cause, ABOUT)
    expect(message).toMatch(/KMS key of the table.*kms:Decrypt/)
    expect(message).not.toMatch(/dynamodb:UpdateItem/)
  })

  it('quotes the beginning of DynamoDB’s message', () => {
    const { message } = storeError(sdkError('TimeoutError', undefined, 'x'.repeat(9_000)), ABOUT)
    expect(message).toMatch(/\(TimeoutError: x{486}\)$/)
  })

  it('takes anything that was thrown', () => {
    expect(storeError('socket hang up', ABOUT)).toMatchObject({ retryable: true })
  })
})

describe('what went wrong with a transaction', () => {
  const judged = (cause: unknown, changes = {}) =>
    transactionError(cause, { ...ABOUT, wasSerialized: true, isEnd: false, ...changes })

  it.each([
    ['TransactionInProgressException', 'client'],
    ['TransactionCanceledException', 'client'],
    ['ThrottlingException', 'client'],
    ['InternalServerError', 'server'],
    ['TimeoutError', undefined],
    ['AccessDeniedException', 'client'],
    ['ExpiredTokenException', 'client'],
  ] as const)('%s may pass, so that asking again may help', (name, fault) => {
    expect(judged(sdkError(name, fault))).toMatchObject({ name: 'LeaseStoreError', retryable: true })
  })

  it.each(['ValidationException', 'ResourceNotFoundException'])(
    '%s is the caller’s own, and handed on as it is',
    (name) => {
      const cause = sdkError(name, 'client')
      expect(judged(cause)).toBe(cause)
    },
  )

  it('what the SDK could not make a request of is handed on as it is; what failed after that may pass', () => {
    const cause = new Error('fetch failed')
    expect(judged(cause, { wasSerialized: false })).toBe(cause)
    expect(judged(cause)).toMatchObject({ name: 'LeaseStoreError', retryable: true, cause })
    expect(judged('no credentials yet')).toMatchObject({ name: 'LeaseStoreError', retryable: true })
  })

  it('a table that is not there may be one that is being restored, if it is a completion', () => {
    const cause = sdkError('ResourceNotFoundException', 'client')
    expect(judged(cause, { isEnd: true })).toMatchObject({ name: 'LeaseStoreError', retryable: true, cause })
  })

  it('says that it may be about one of the caller’s items', () => {
    const { message } = Object(judged(sdkError('AccessDeniedException', 'client')))
    expect(message).toMatch(/Not permitted.*items of your own/)
  })

  it.each([
    'not supported on multi-Region strong consistency tables',
    'not supported on MultiRegion tables',
    'not supported on a Global Table',
    'not supported with strong consistency',
  ])(
    'a table that replicates with strong consistency, which is %s, has its own message, which points to the fence',
    (why) => {
      const cause = sdkError('ValidationException', 'client', why)
      expect(judged(cause)).toMatchObject({ retryable: false, message: expect.stringContaining('lease.fence()') })
    },
  )
})

describe('what a newcomer meets', () => {
  const named = (name: string, message: string) => Object.assign(new Error(message), { name, $fault: 'client' })
  it.each([
    ['no Region', new Error('Region is missing'), /^The SDK knows no AWS Region.* Set AWS_REGION/],
    [
      'no credentials',
      named('CredentialsProviderError', 'none'),
      /^The SDK found no AWS credentials.* Set AWS_PROFILE/,
    ],
    ['no table', named('ResourceNotFoundException', 'none'), /^There is no table "leases".* Deploy the LeaseTable/],
    ...[
      'The provided key element does not match the schema',
      'One or more parameter values were invalid: Type mismatch for key', // DynamoDB Local
      'One of the required keys was not given a value',
    ].map((message): [string, Error, RegExp] => [
      `a table with other keys: ${message}`,
      named('ValidationException', message),
      /^The table "leases" does not have the keys of a lease table\. It needs the partition key "lease"/,
    ]),
  ])('%s: the message names the cause first, then what to do', (_, cause, expected) => {
    const error = storeError(cause, { lease: 'billing', tableName: 'leases', applied: 'no' })
    expect(error.message).toMatch(expected)
  })
})
