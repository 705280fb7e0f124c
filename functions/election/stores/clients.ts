import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { DynamoDBDocumentClient, TranslateConfig } from '@aws-sdk/lib-dynamodb'
import { InvalidOptionError } from '../errors.ts'
import { Turns } from '../turns.ts'
import { connectionsThrough } from './connections.ts'

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
 * All paths through one client have its connections, retries and turns in common, so a store costs little.
 *
 * @throws InvalidOptionError if `client` is no client of DynamoDB
 */
export function pathsThrough(client: unknown): Paths {
  assertClient(client)
  const translateConfig = translation(client)
  const config = { ...client.config, translateConfig }
  const { leases, effects } = connectionsThrough(config.requestHandler)
  const { turns, withOwnRetries, withSerialization } = partsFor(client)
  return {
    leases: path(client, { ...config, requestHandler: leases }, (lent) => withOwnRetries(withSerialization(lent))),
    effects: inTurns(turns, path(client, { ...config, requestHandler: effects }, withSerialization)),
    unmarshallOptions: translateConfig.unmarshallOptions,
  }
}

/**
 * So many effects may be under way through one client, many more than it has connections. The SDK prepares a request without
 * a break, so 20,000 at once would keep timers and replies from the process for longer than a short lease.
 */
const EFFECTS_AT_ONCE = 1_000

type Stack = DynamoDBDocumentClient['middlewareStack']

interface Command {
  resolveMiddleware(stack: Stack, config: object, options: unknown): unknown
}

/**
 * Sends through the lent client's own `send`, whatever the caller has made of it: instrumented, bound, a test double. The
 * command takes the path's configuration in place of the one that `send` gives it. It takes the layers that `send` gives it,
 * or a clone of them: a tracer may have wrapped what `clone` and `concat` return.
 */
function path(client: DynamoDBDocumentClient, config: object, layers: (lent: Stack) => Stack): Path {
  return {
    // Without options, a client with `cacheMiddleware` would use the layers of an earlier command again.
    send(command: Command, options: object = {}) {
      const { resolveMiddleware }: Command = Object.getPrototypeOf(command)
      command.resolveMiddleware = (lent, _, given) => resolveMiddleware.call(command, layers(lent), config, given)
      return Reflect.apply(client.send, client, [command, options])
    },
  }
}

function inTurns(turns: Turns, path: Path): Path {
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

interface Parts {
  readonly turns: Turns
  readonly withOwnRetries: (lent: Stack) => Stack
  readonly withSerialization: (lent: Stack) => Stack
}

const parts = new WeakMap<DynamoDBDocumentClient, Parts>()

function partsFor(client: DynamoDBDocumentClient): Parts {
  const known = parts.get(client)
  if (known !== undefined) return known
  const { maxAttempts } = client.config
  const own = new DynamoDBClient({ maxAttempts, retryMode: 'standard' }).middlewareStack
  const lent = client.middlewareStack.clone()
  const missing = SERIALIZATION.filter((name) => !lent.remove(name))
  const made = {
    turns: new Turns(EFFECTS_AT_ONCE),
    withOwnRetries: (lent: Stack) => withLayers(lent, own, [RETRIES], AROUND_EACH_TRY),
    withSerialization: (lent: Stack) => (missing.length === 0 ? lent : withLayers(lent, own, missing)),
  }
  parts.set(client, made)
  return made
}

/** Older versions of the SDK left it to their commands; the commands of later versions expect it of their client. */
const SERIALIZATION = ['serializerMiddleware', 'deserializerMiddleware']
const RETRIES = 'retryMiddleware'
/** Outside all layers that the caller has put on each try, as if the retries were the first that the client was given. */
const AROUND_EACH_TRY = { step: 'build', priority: 'low' }

/** A clone of `lent` in which these layers are those of `own`. */
function withLayers(lent: Stack, own: Stack, names: readonly string[], place: object = {}): Stack {
  const stack = lent.clone()
  const add = (layer: unknown, options: { readonly name?: string } = {}) => {
    const { name } = options
    if (name === undefined || !names.includes(name)) return
    stack.remove(name)
    Reflect.apply(stack.add, stack, [layer, { ...options, ...place }])
  }
  own.applyToStack({ ...own, add, addRelativeTo: () => {} })
  return stack
}
