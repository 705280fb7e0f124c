// @ts-nocheck
import type { TransactionCanceledException } from '@aws-sdk/client-dynamodb'
import { type Applied, CorruptLeaseError, type LeaseError, LeaseStoreError } from '../errors.ts'
import type { AttributeMap } from './row.ts'

type Kind = 'conflict' | 'throttled' | 'credentials' | 'signature' | 'permission' | 'noTable' | 'form'

/**
 * Errors by name, since their classes may be those of another copy of the SDK. A `conflict` passes in milliseconds, and
 * the reason of any other error may pass as well, except a wrong `form`. Unknown names are retried, too: to repeat a
 * refused request costs little, to lose a completion costs the task's work.
 *
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html
 */
const KINDS: Readonly<Record<string, Kind>> = {
  TransactionConflictException: 'conflict',
  ReplicatedWriteConflictException: 'conflict',
  TransactionInProgressException: 'conflict', // our own earlier try, under the same token
  TransactionCanceledException: 'conflict', // by conflicts or throttling alone: see isFinal
  ThrottlingException: 'throttled',
  ProvisionedThroughputExceededException: 'throttled',
  RequestLimitExceeded: 'throttled',
  LimitExceededException: 'throttled',
  ExpiredTokenException: 'credentials', // the SDK asks its provider for new ones
  UnrecognizedClientException: 'credentials',
  ExpiredToken: 'credentials',
  InvalidClientTokenId: 'credentials',
  MissingAuthenticationTokenException: 'credentials',
  MissingAuthenticationToken: 'credentials',
  CredentialsProviderError: 'credentials',
  InvalidSignatureException: 'signature', // signed again at the next try
  IncompleteSignatureException: 'signature',
  IncompleteSignature: 'signature',
  SignatureDoesNotMatch: 'signature',
  RequestTimeTooSkewed: 'signature',
  RequestExpired: 'signature',
  AccessDeniedException: 'permission', // a change of IAM, or of a KMS grant, takes time to arrive
  NotAuthorized: 'permission',
  ResourceNotFoundException: 'noTable', // perhaps being created or restored
  ValidationException: 'form',
  SerializationException: 'form',
  IdempotentParameterMismatchException: 'form',
}

/** Reasons of a cancelled transaction that recur with the same items, unless the caller changes something. */
const FINAL_REASONS = new Set(['ConditionalCheckFailed', 'ValidationError', 'ItemCollectionSizeLimitExceeded'])

/** An error of a key, or a missing permission for it; but not the name of a role. */
const OF_KMS = /KMS key|AWSKMS|\bkms:/
/** Also in the words of DynamoDB Local. */
const WRONG_KEY = new RegExp(
  [
    'key element does not match the schema',
    'number of conditions on the keys',
    'type mismatch for key',
    'required keys was not given',
  ].join('|'),
  'i',
)
const WITHOUT_TRANSACTIONS = /global table|multi-?region|strong consisten/i

function kindOf(error: unknown): Kind | undefined {
  return error instanceof Error && Object.hasOwn(KINDS, error.name) ? KINDS[error.name] : undefined
}

export const isThrottled = (error: Error): boolean => kindOf(error) === 'throttled'
export const isSignatureError = (error: Error): boolean => kindOf(error) === 'signature'

/** A condition did not hold; `Item` is the row, if it was requested and exists. */
export function isConditionFailed(error: unknown): error is Error & { readonly Item?: AttributeMap } {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException'
}

export function isCancelled(error: unknown): error is TransactionCanceledException {
  return error instanceof Error && error.name === 'TransactionCanceledException'
}

/** Another request was writing the row, in a transaction or in another Region: this one changed nothing. */
export function isConflict(error: unknown): boolean {
  if (!isCancelled(error)) return kindOf(error) === 'conflict'
  const codes = reasonsOf(error)
  return codes.length > 0 && codes.every((code) => code === 'TransactionConflict')
}

/** An item of the transaction will be refused again, for its condition, its form or its size. */
export function isFinal(error: TransactionCanceledException): boolean {
  return reasonsOf(error).some((code) => FINAL_REASONS.has(code))
}

function reasonsOf({ CancellationReasons = [] }: TransactionCanceledException): readonly string[] {
  return CancellationReasons.flatMap(({ Code }) => (Code === undefined || Code === 'None' ? [] : [Code]))
}

/** DynamoDB could not add one to the row's fencing token. */
export function isOperandError(error: unknown): error is Error {
  const isForm = error instanceof Error && error.name === 'ValidationException'
  return isForm && /operand|incorrect data type/i.test(error.message)
}

export function damagedToken(cause: Error, lease: string, tableName: string): CorruptLeaseError {
  return new CorruptLeaseError(
    `The row of lease "${lease}" in table "${tableName}" is damaged: attribute "fencingToken" should be a number. ` +
      'Repair it with a number higher than any token used before.',
    { lease, attribute: 'fencingToken', cause },
  )
}

export interface About {
  readonly lease: string
  readonly tableName: string
  readonly applied: Applied
}

/** A LeaseStoreError that says what to do about an error of the SDK. */
export function storeError(cause: unknown, { lease, tableName, applied }: About, more = ''): LeaseError {
  const error = cause instanceof Error ? cause : new Error(String(cause))
  const kind = kindOf(error)
  const text = describe(kind, error, `lease "${lease}" in table "${tableName}"`, tableName) + more
  return new LeaseStoreError(`${text} (${`${error.name}: ${error.message}`.slice(0, 500)})`, {
    lease,
    retryable: kind !== 'form',
    applied,
    cause,
  })
}

function describe(kind: Kind | undefined, error: Error, about: string, tableName: string): string {
  switch (kind) {
    case 'noTable':
      return (
        `There is no table "${tableName}" in this Region and account. ` +
        'Deploy the LeaseTable, and check tableName, Region and account.'
      )
    case 'permission':
      return OF_KMS.test(error.message)
        ? `DynamoDB may not use the KMS key of the table for ${about}. Check that the key is enabled, ` +
            'and that its policy allows this role kms:Decrypt and kms:DescribeKey through DynamoDB.'
        : `Not permitted to use ${about}. The role needs dynamodb:UpdateItem (and dynamodb:ConditionCheckItem for ` +
            'transactions) with this lease as leading key: LeaseTable.grantLead() grants both, ' +
            'as does an ElectedSchedule for the lease in LEASE_NAME.'
    case 'credentials':
      if (error.name === 'CredentialsProviderError') {
        return (
          `The SDK found no AWS credentials to ask for ${about}. ` +
          'Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; in Lambda the role gives them.'
        )
      }
      return (
        `AWS did not accept this candidate's credentials for ${about}: they are missing, expired or unknown. ` +
        'Check where the SDK takes them from.'
      )
    case 'signature':
      return (
        `AWS did not accept the signature of a request for ${about}: this machine's clock is wrong, ` +
        'the process was frozen while it sent the request, or the secret key is not the right one.'
      )
    case 'throttled':
      return `DynamoDB throttled the request for ${about}, and its retries. Try again later.`
    case 'conflict':
      return (
        `Other requests were writing the row of ${about} at every try, or DynamoDB throttled a transaction on it. ` +
        'Try again later.'
      )
    case 'form':
      return WITHOUT_TRANSACTIONS.test(error.message)
        ? 'This table replicates with strong consistency across Regions, where DynamoDB has no transactions: ' +
            'guard and completion with items are not available. ' +
            'Protect each row with lease.fence() or lease.send() instead.'
        : WRONG_KEY.test(error.message)
          ? `The table "${tableName}" does not have the keys of a lease table. ` +
            'It needs the partition key "lease" and the sort key "record", both strings: LeaseTable makes one.'
          : `DynamoDB refused the form of the request for ${about}.`
    case undefined:
      if (error.message === 'Region is missing') {
        return (
          `The SDK knows no AWS Region, so it could not ask for ${about}. ` +
          'Set AWS_REGION, or give the store a client: new DynamoDBClient({ region }).'
        )
      }
      return '$fault' in error && error.$fault === 'client'
        ? `DynamoDB refused the request for ${about}.`
        : `DynamoDB gave no answer for ${about}. Check the endpoint, the network and DynamoDB's health.`
  }
}

export interface AboutTransaction extends About {
  /** The SDK could make a request of the items: a later failure is not about their form. */
  readonly wasSerialized: boolean
  /** It is the leader's completion, which is sent again if the reason may pass. */
  readonly isEnd: boolean
}

/**
 * An error of a transaction of the lease row and the caller's own items. If the SDK could make no request of the items,
 * or DynamoDB refused its form or has no such table, the items are the likely reason: the caller gets that error.
 */
export function transactionError(cause: unknown, { wasSerialized, isEnd, ...about }: AboutTransaction): unknown {
  if (!wasSerialized) return cause
  const kind = kindOf(cause)
  const message = cause instanceof Error ? cause.message : String(cause)
  const isOfItems = (kind === 'noTable' && !isEnd) || (kind === 'form' && !WITHOUT_TRANSACTIONS.test(message))
  return isOfItems
    ? cause
    : storeError(cause, about, ' The transaction has items of your own: it may be about one of them.')
}

/** DynamoDB refused the items after a try that got no answer, which may still arrive when they are acceptable. */
export function mayBeApplied(cause: TransactionCanceledException, { lease, tableName }: About): LeaseError {
  return new LeaseStoreError(
    `DynamoDB refused the items of a transaction with lease "${lease}" in table "${tableName}", but an earlier try ` +
      'got no answer and may still be applied. Read the rows before you write them again. ' +
      `(${cause.message.slice(0, 500)})`,
    { lease, retryable: false, applied: 'unknown', cause },
  )
}
