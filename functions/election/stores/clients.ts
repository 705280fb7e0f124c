import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { DynamoDBDocumentClient, TranslateConfig } from '@aws-sdk/lib-dynamodb'
import { InvalidOptionError } from '../errors.ts'
import { Turns } from '../turns.ts'
import { ownConnections } from './connections.ts'

/**
 * A `DynamoDBClient` or `DynamoDBDocumentClient` of the AWS SDK for JavaScript, version 3. It is recognized by its shape, so
 * it may come from another copy or version of the SDK than the one that this library imports.
 */
export interface SdkClient {
  readonly config: object
  readonly middlewareStack: object
  send(command: never): unknown
}

/** Sends commands of `client-dynamodb` and of `lib-dynamodb`. */
export type Path = Pick<DynamoDBDocumentClient, 'send'>

export interface Paths {
  /** For requests on lease rows. It has connections, time-outs and retries of its own, so that no effect delays them. */
  readonly leases: Path
  /** For all that the task writes. It sends as the lent client does. */
  readonly effects: Path
  /** How rows are read, as on both paths. */
  readonly unmarshallOptions: TranslateConfig['unmarshallOptions']
}

/**
 * Two paths through the client that the caller lends. The client is not changed, and document clients that the caller makes
 * of it later do not change the paths: `DynamoDBDocumentClient.from` writes its options into the configuration that it
 * shares with the client it is made of, so a path has a copy.
 *
 * @throws InvalidOptionError if `client` is no client of DynamoDB
 */
export function pathsThrough(client: unknown): Paths {
  assertClient(client)
  const translateConfig = translation(client)
  const config = { ...client.config, translateConfig }
  const spare = spareLayers(client)
  return {
    leases: path(client, { ...config, requestHandler: ownConnections(config.requestHandler) }, () => {
      const lent = client.middlewareStack.clone()
      lent.remove(RETRIES)
      return spare.concat(lent)
    }),
    effects: inTurns(path(client, config, () => spare.concat(client.middlewareStack))),
    unmarshallOptions: translateConfig.unmarshallOptions,
  }
}

/**
 * So many effects may be under way on one path, many more than it has connections. The SDK prepares a request without a
 * break, so 20,000 at once would keep timers and replies from the process for longer than a short lease.
 */
const EFFECTS_AT_ONCE = 1_000

type Stack = DynamoDBDocumentClient['middlewareStack']

interface Command {
  resolveMiddleware(stack: Stack, config: object, options: unknown): unknown
}

/**
 * Sends through the lent client's own `send`, whatever the caller has made of it: instrumented, bound, a test double. It is
 * the command that takes the path, in place of the stack and the configuration that `send` gives it.
 */
function path(client: DynamoDBDocumentClient, config: object, stack: () => Stack): Path {
  return {
    // Without options, a client with `cacheMiddleware` would use the layers of an earlier command again.
    send(command: Command, options: object = {}) {
      const { resolveMiddleware }: Command = Object.getPrototypeOf(command)
      command.resolveMiddleware = (_stack, _config, given) => resolveMiddleware.call(command, stack(), config, given)
      return Reflect.apply(client.send, client, [command, options])
    },
  }
}

function inTurns(path: Path): Path {
  const turns = new Turns(EFFECTS_AT_ONCE)
  return { send: (...given: unknown[]) => turns.take(() => Reflect.apply(path.send, path, given)) }
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
 * How values become attributes and back: as the caller's document client does it, or our way for a raw client. The class of
 * document clients has `from`; a raw client's configuration may hold the options of a document client made of it.
 */
function translation(client: DynamoDBDocumentClient): TranslateConfig {
  if (!('from' in client.constructor)) return { marshallOptions: { removeUndefinedValues: true } }
  const { marshallOptions, unmarshallOptions } = client.config.translateConfig ?? {}
  return { marshallOptions: { ...marshallOptions }, unmarshallOptions: { ...unmarshallOptions } }
}

const RETRIES = 'retryMiddleware'

/** Layers that every client has, unless its caller has taken one out. */
const LAYERS_OF_EVERY_CLIENT = [
  'loggerMiddleware',
  'contentLengthMiddleware',
  'getUserAgentMiddleware',
  'hostHeaderMiddleware',
  'recursionDetectionMiddleware',
  'httpAuthSchemeMiddleware',
  'httpSigningMiddleware',
]

/**
 * Layers for a path whose lent client has none of that name: retries in standard mode with a quota of their own, and
 * serialization, which older versions of the SDK left to their commands.
 */
function spareLayers({ config: { maxAttempts } }: DynamoDBDocumentClient): Stack {
  const { middlewareStack } = new DynamoDBClient({ maxAttempts, retryMode: 'standard' })
  for (const name of LAYERS_OF_EVERY_CLIENT) middlewareStack.remove(name)
  return middlewareStack
}
