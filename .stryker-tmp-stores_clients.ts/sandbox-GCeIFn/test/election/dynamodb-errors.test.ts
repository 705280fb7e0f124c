// @ts-nocheck
import { describe, expect, it } from 'vitest'
import { LeaseStoreError } from '../../functions/election/index.ts'
import { storeError, transactionError } from '../../functions/election/stores/dynamodb-errors.ts'

/** An error as the SDK throws it after it has sent something. */
function sdkError(name: string, fault?: 'client' | 'server', message = 'as DynamoDB puts it'): Error {
  return Object.assign(new Error(message), { name, $metadata: { attempts: 1 }, ...(fault && { $fault: fault }) })
}

const ABOUT = { lease: 'billing', tableName: 'leases', applied: 'no' } as const

describe('what went wrong with the lease row', () => {
  it.each<[string, 'client' | 'server' | undefined, boolean, RegExp, string?]>([
    ['ResourceNotFoundException', 'client', true, /^There is no table "leases".* Deploy the LeaseTable/],
    ['AccessDeniedException', 'client', true, /role needs dynamodb:UpdateItem/],
    ['NotAuthorized', 'client', true, /role needs dynamodb:UpdateItem/],
    ['AccessDeniedException', 'client', true, /^(?!.*KMS key).*role needs/, 'assumed-role/kms-rotation-role is not'],
    ['AccessDeniedException', 'client', true, /^(?!.*UpdateItem).*KMS key of the table.*kms:Decrypt/, 'KMS key access'],
    ['ExpiredTokenException', 'client', true, /did not accept this candidate's credentials/],
    ...[
      ...['UnrecognizedClientException', 'ExpiredToken', 'InvalidClientTokenId'],
      ...['MissingAuthenticationTokenException', 'MissingAuthenticationToken'],
    ].map((name): [string, 'client', boolean, RegExp] => [name, 'client', true, /credentials.* missing, expired or/]),
    ['CredentialsProviderError', undefined, true, /^The SDK found no AWS credentials.* Set AWS_PROFILE/],
    ...[
      ...['InvalidSignatureException', 'IncompleteSignatureException', 'IncompleteSignature'],
      ...['SignatureDoesNotMatch', 'RequestTimeTooSkewed', 'RequestExpired'],
    ].map((name): [string, 'client', boolean, RegExp] => [name, 'client', true, /signature.*clock is wrong/]),
    ['ThrottlingException', 'client', true, /^DynamoDB throttled/],
    ['ProvisionedThroughputExceededException', 'client', true, /^DynamoDB throttled/],
    ['RequestLimitExceeded', 'client', true, /^DynamoDB throttled/],
    ['LimitExceededException', 'client', true, /^DynamoDB throttled/],
    ['TransactionConflictException', 'client', true, /Other requests were writing the row/],
    ['ReplicatedWriteConflictException', 'client', true, /Other requests were writing the row/],
    ['TransactionCanceledException', 'client', true, /Other requests were writing the row/],
    ['ValidationException', 'client', false, /form of the request/],
    ['SerializationException', 'client', false, /form of the request/],
    ...[
      'The provided key element does not match the schema',
      'One or more parameter values were invalid: Type mismatch for key', // DynamoDB Local
      'One of the required keys was not given a value',
    ].map((message): [string, 'client', boolean, RegExp, string] => [
      ...(['ValidationException', 'client', false] as const),
      /^The table "leases" does not have the keys of a lease table\. It needs the partition key "lease"/,
      message,
    ]),
    ['IdempotentParameterMismatchException', 'client', false, /form of the request/],
    ['ANameOfNextYearException', 'client', true, /refused the request for lease "billing" in table "leases"\. \(AName/],
    ['constructor', 'client', true, /refused the request/],
    ['InternalServerError', 'server', true, /gave no answer/],
    ['Error', undefined, true, /^The SDK knows no AWS Region.* Set AWS_REGION/, 'Region is missing'],
    ['TimeoutError', undefined, true, /gave no answer/],
    ['TimeoutError', undefined, true, /\(TimeoutError: x{486}\)$/, 'x'.repeat(9_000)],
  ])('%s (%s) says what to do, and whether trying again may help', (name, fault, retryable, text, message) => {
    const cause = sdkError(name, fault, message)
    const error = storeError(cause, ABOUT)
    expect(error).toBeInstanceOf(LeaseStoreError)
    expect(error).toMatchObject({ retryable, cause, lease: 'billing', applied: 'no' })
    expect(error.message).toMatch(text)
  })

  it('takes anything that was thrown', () => {
    expect(storeError('socket hang up', ABOUT)).toMatchObject({ retryable: true })
  })
})

describe('what went wrong with a transaction', () => {
  const judged = (cause: unknown, changes = {}) =>
    transactionError(cause, { ...ABOUT, wasSerialized: true, isEnd: false, ...changes })
  const MAY_PASS = { name: 'LeaseStoreError', retryable: true }

  it.each([
    ['TransactionInProgressException', 'client'],
    ['TransactionCanceledException', 'client'],
    ['ThrottlingException', 'client'],
    ['InternalServerError', 'server'],
    ['TimeoutError', undefined],
    ['AccessDeniedException', 'client'],
    ['ExpiredTokenException', 'client'],
  ] as const)('%s may pass, and may be about one of the caller’s items', (name, fault) => {
    const message = expect.stringContaining('items of your own')
    expect(judged(sdkError(name, fault))).toMatchObject({ ...MAY_PASS, message })
  })

  it.each(['ValidationException', 'ResourceNotFoundException'])('%s is the caller’s own', (name) => {
    const cause = sdkError(name, 'client')
    expect(judged(cause)).toBe(cause)
  })

  it('what the SDK could not make a request of is handed on as it is; what failed after that may pass', () => {
    const cause = new Error('fetch failed')
    expect(judged(cause, { wasSerialized: false })).toBe(cause)
    expect(judged(cause)).toMatchObject({ ...MAY_PASS, cause })
    expect(judged('no credentials yet')).toMatchObject(MAY_PASS)
  })

  it('a table that is not there may be one that is being restored, if it is a completion', () => {
    const cause = sdkError('ResourceNotFoundException', 'client')
    expect(judged(cause, { isEnd: true })).toMatchObject({ ...MAY_PASS, cause })
  })

  it.each(['multi-Region strong consistency tables', 'MultiRegion tables', 'a Global Table', 'strong consistency'])(
    'a table without transactions (%s) has its own message, which points to the fence',
    (kind) => {
      const message = expect.stringContaining('lease.fence()')
      const cause = sdkError('ValidationException', 'client', `not supported on ${kind}`)
      expect(judged(cause)).toMatchObject({ retryable: false, message })
    },
  )
})
