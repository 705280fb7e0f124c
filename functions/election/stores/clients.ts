import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { DynamoDBDocumentClient, TranslateConfig } from '@aws-sdk/lib-dynamodb'
import { Turns } from '../turns.ts'
import { connectionsThrough } from './connections.ts'
import type { Lent } from './sdk-client.ts'

/** Sends commands of `client-dynamodb` and of `lib-dynamodb`. */
export type Path = Pick<DynamoDBDocumentClient, 'send'>

export interface Paths {
  /** For requests on lease rows: with its own connections, time-outs and retries, so that no effect delays them. */
  readonly leases: Path
  /** For the task's writes: sends as the caller's client does. */
  readonly effects: Path
  readonly unmarshallOptions: TranslateConfig['unmarshallOptions']
}

/**
 * Two paths through the caller's client, which is not changed. Each has a copy of the configuration, since
 * `DynamoDBDocumentClient.from` writes its options into the configuration of the client that it is given. All paths
 * through one client share connections, retries and turns, so a store costs little.
 */
export function pathsThrough({ client, translateConfig }: Lent): Paths {
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
 * Effects under way through one client, far more than it has connections. The SDK prepares a request synchronously, so
 * 20,000 at once would hold up timers and replies for longer than a short lease.
 */
const EFFECTS_AT_ONCE = 1_000

type Stack = DynamoDBDocumentClient['middlewareStack']

interface Command {
  resolveMiddleware(stack: Stack, config: object, options: unknown): unknown
}

/**
 * Sends through the caller's own `send`, which may be instrumented, bound or a test double. The command uses the path's
 * configuration instead of the one that `send` passes. It uses the layers that `send` passes, or a clone of them: a
 * tracer may have wrapped what `clone` and `concat` return.
 */
function path(client: DynamoDBDocumentClient, config: object, layers: (lent: Stack) => Stack): Path {
  return {
    // Without options, a client with `cacheMiddleware` would reuse the layers of an earlier command.
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
    withOwnRetries: untilChanged((lent) => withLayers(lent, own, [RETRIES], AROUND_EACH_TRY)),
    withSerialization: (lent: Stack) => (missing.length === 0 ? lent : withLayers(lent, own, missing)),
  }
  parts.set(client, made)
  return made
}

/** In older versions of the SDK the commands serialize; in later ones, their client does. */
const SERIALIZATION = ['serializerMiddleware', 'deserializerMiddleware']
const RETRIES = 'retryMiddleware'
/** Outside all layers that the caller added around each try. */
const AROUND_EACH_TRY = { step: 'build', priority: 'low' }

interface Place {
  readonly step?: unknown
  readonly priority?: unknown
  readonly relation?: unknown
  readonly toMiddleware?: unknown
}

/** Clones `lent` again only after its layers were changed, because cloning them takes longer than reading them. */
function untilChanged(clone: (lent: Stack) => Stack): (lent: Stack) => Stack {
  let known: { readonly parts: readonly unknown[]; readonly made: Stack } | undefined
  return (lent) => {
    const parts: unknown[] = [lent]
    const add = (layer: unknown, { step, priority, relation, toMiddleware }: Place = {}) => {
      parts.push(layer, step, priority, relation, toMiddleware)
    }
    lent.applyToStack({ ...lent, add, addRelativeTo: add })
    if (known !== undefined && isEqual(known.parts, parts)) return known.made
    known = { parts, made: clone(lent) }
    return known.made
  }
}

function isEqual(some: readonly unknown[], others: readonly unknown[]): boolean {
  return some.length === others.length && some.every((one, index) => one === others[index])
}

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
