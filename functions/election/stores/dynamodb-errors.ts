import { InvalidOptionError, type LeaseError, LeaseStoreError } from '../errors.ts'

interface SdkError extends Error {
  readonly $fault?: 'client' | 'server'
}

const THROTTLED = new Set([
  'ThrottlingException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'LimitExceededException',
])
const NOT_PERMITTED = new Set([
  'AccessDeniedException',
  'UnrecognizedClientException',
  'ExpiredTokenException',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'CredentialsProviderError',
])
const OPEN_TRANSACTION = new Set([
  'TransactionInProgressException',
  'TransactionCanceledException',
  'TransactionConflictException',
])
const WITHOUT_TRANSACTIONS = /global table|multi-?region|strong consisten/i

/**
 * Turns what the SDK threw into a LeaseStoreError that says what to do. An error that the AWS SDK marks as the client's
 * fault will come again with the same request; all others may pass.
 */
export function storeError(cause: unknown, lease: string, tableName: string): LeaseError {
  const error: SdkError = cause instanceof Error ? cause : new Error(String(cause))
  const about = `lease "${lease}" in table "${tableName}"`
  const failure = (text: string, retryable: boolean) =>
    new LeaseStoreError(`${text} (${`${error.name}: ${error.message}`.slice(0, 500)})`, { lease, retryable, cause })

  if (error.name === 'ResourceNotFoundException') {
    return failure(
      `There is no table "${tableName}" for ${about}. Deploy the LeaseTable, and check tableName, Region and account.`,
      false,
    )
  }
  if (NOT_PERMITTED.has(error.name)) {
    return failure(
      `Not permitted to use ${about}. The role needs dynamodb:UpdateItem (and dynamodb:ConditionCheckItem for transactions) with this lease as leading key: LeaseTable.grantLead() gives both, and an ElectedSchedule for the lease in LEASE_NAME.`,
      false,
    )
  }
  if (THROTTLED.has(error.name)) {
    return failure(`DynamoDB throttled the request for ${about}, and its retries. Try again later.`, true)
  }
  if (OPEN_TRANSACTION.has(error.name)) {
    return failure(
      `DynamoDB cancelled the transaction on ${about} at every try: others were under way, or it was throttled. Try again later.`,
      true,
    )
  }
  if (error.name === 'ValidationException') {
    if (WITHOUT_TRANSACTIONS.test(error.message)) {
      return failure(
        'This table replicates with strong consistency across Regions, where DynamoDB has no transactions: guard and completion with items are not to be had. Protect each row with lease.fence() or lease.send() instead.',
        false,
      )
    }
    return failure(`DynamoDB refused the form of the request for ${about}.`, false)
  }
  if (error.$fault === 'client') return failure(`DynamoDB refused the request for ${about}.`, false)
  return failure(`DynamoDB gave no answer for ${about}. Check the endpoint, the network and DynamoDB's health.`, true)
}

/**
 * What went wrong with a transaction of the lease row and the caller's own items. Where DynamoDB refused it outright, the
 * lease row, which was written before, is the least likely reason: such an error goes to the caller as it is. Only where
 * the outcome is open, or where no item could ever pass, is it ours to tell.
 */
export function transactionError(cause: unknown, lease: string, tableName: string): unknown {
  if (!(cause instanceof Error) || !('$metadata' in cause)) return cause // never sent: the SDK could not make it a request
  const isOpen =
    !('$fault' in cause) || cause.$fault === 'server' || OPEN_TRANSACTION.has(cause.name) || THROTTLED.has(cause.name)
  return isOpen || WITHOUT_TRANSACTIONS.test(cause.message) ? storeError(cause, lease, tableName) : cause
}

/** What the marshaller throws for a checkpoint that is not plain data. */
export function unstorable(cause: unknown, lease: string): LeaseError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new InvalidOptionError(`The checkpoint of lease "${lease}" cannot be stored: give plain data. (${reason})`, {
    lease,
    cause,
  })
}
