/** What the SDK throws for an error of DynamoDB. */
import {
  ConditionalCheckFailedException,
  DynamoDBServiceException,
  IdempotentParameterMismatchException,
  InternalServerError,
  ProvisionedThroughputExceededException,
  ThrottlingException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb'

const CLASSES = new Map(
  Object.entries({
    ConditionalCheckFailedException,
    IdempotentParameterMismatchException,
    InternalServerError,
    ProvisionedThroughputExceededException,
    ThrottlingException,
    TransactionCanceledException,
    TransactionConflictException,
  }),
)

export function sdkError(status: number, body: object): DynamoDBServiceException {
  const { __type, message, ...fields }: Record<string, unknown> = { ...body }
  const name = String(__type).replace(/^.*#/, '')
  const $metadata = { httpStatusCode: status }
  const $fault = status < 500 ? 'client' : 'server'
  const Known = CLASSES.get(name)
  const text = String(message)
  if (Known === undefined) return new DynamoDBServiceException({ name, message: text, $fault, $metadata })
  return Object.assign(new Known({ message: text, $metadata }), fields)
}
