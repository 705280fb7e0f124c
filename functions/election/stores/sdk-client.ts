import type { DynamoDBDocumentClient, TranslateConfig } from '@aws-sdk/lib-dynamodb'
import { InvalidOptionError } from '../errors.ts'

/** For each try of a request. Without `throwOnRequestTimeout` the SDK waits for an answer without limit. */
export const SDK_TIMEOUTS = { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true }

/** After this time without a request, a connection of ours is closed. Until then it does not keep the process alive. */
export const IDLE_MS = 60_000

/** As many as the SDK's clients have by default: far more at once time out, or need more files than Lambda allows. */
export const CONNECTIONS = 50

/** How clients of our own wait and retry. */
export const SDK_CLIENT = { maxAttempts: 3, requestHandler: SDK_TIMEOUTS }

/**
 * A `DynamoDBClient` or `DynamoDBDocumentClient` of the AWS SDK for JavaScript, version 3. It is recognized by its
 * shape, so it may come from a copy or version of the SDK other than the one that this library imports.
 */
export interface SdkClient {
  readonly config: object
  readonly middlewareStack: object
  send(command: never): unknown
}

/** The caller's client, and how it turns values into attributes now. */
export interface Lent {
  readonly client: DynamoDBDocumentClient
  readonly translateConfig: TranslateConfig
}

/** @throws InvalidOptionError if `client` is not a client of DynamoDB */
export function lent(client: unknown): Lent {
  assertClient(client)
  return { client, translateConfig: translationOf(client) }
}

function assertClient(client: unknown): asserts client is DynamoDBDocumentClient {
  const fields: Readonly<Record<string, unknown>> = Object(client)
  const { serviceId }: Readonly<Record<string, unknown>> = Object(fields['config'])
  const { clone }: Readonly<Record<string, unknown>> = Object(fields['middlewareStack'])
  if (serviceId === 'DynamoDB' && typeof fields['send'] === 'function' && typeof clone === 'function') return
  const given = typeof serviceId === 'string' ? `a client of ${serviceId}` : `of type ${typeof client}`
  throw new InvalidOptionError(
    `The option client must be a DynamoDBClient or DynamoDBDocumentClient of the AWS SDK, version 3, but is ${given}.`,
  )
}

/**
 * How values become attributes and back: by the options of the caller's document client, or ours for a raw client. Only
 * the class of document clients has `from`; a raw client's configuration may hold the options of a document client.
 */
function translationOf(client: DynamoDBDocumentClient): TranslateConfig {
  if (!('from' in client.constructor)) return { marshallOptions: { removeUndefinedValues: true } }
  const { marshallOptions, unmarshallOptions } = client.config.translateConfig ?? {}
  return { marshallOptions: { ...marshallOptions }, unmarshallOptions: { ...unmarshallOptions } }
}
