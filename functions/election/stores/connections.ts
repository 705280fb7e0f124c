import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { Turns } from '../turns.ts'

/** As many as the SDK opens by default. */
const CONNECTIONS = 50
/** For each try, if the lent client has no time-out of its own. */
const CONNECTION_TIMEOUT_MS = 1_000
const REQUEST_TIMEOUT_MS = 2_000

/**
 * The lent client's request handler again, with the same options but connections of its own. It waits for no answer forever.
 * Only the SDK's own handler for HTTP/1.1 can be made again; any other, for HTTP/2 say, or a test double, is used as it is.
 *
 * Idle connections keep no process alive, and DynamoDB closes them.
 */
export function ownConnections(lent: object): object {
  const { constructor: NodeHttpHandler } = lent
  const given: Promise<HandlerOptions> | undefined = Reflect.get(lent, 'configProvider')
  const isPlain = Object.hasOwn(NodeHttpHandler, 'checkSocketUsage') && !Object.hasOwn(lent, 'handle')
  if (!isPlain || given === undefined) return lent
  return new QueueingHandler(Reflect.construct(NodeHttpHandler, [async () => ownOptions(await given)]))
}

/** What the SDK's handler keeps of its options. */
interface HandlerOptions {
  readonly connectionTimeout?: number
  readonly requestTimeout?: number
  readonly httpAgent?: HttpAgent
  readonly httpAgentProvider?: () => Promise<HttpAgent>
  readonly httpsAgent?: HttpsAgent
}

async function ownOptions(given: HandlerOptions): Promise<object> {
  return {
    ...given,
    connectionTimeout: given.connectionTimeout || CONNECTION_TIMEOUT_MS,
    requestTimeout: given.requestTimeout || REQUEST_TIMEOUT_MS,
    throwOnRequestTimeout: true,
    httpAgent: ownAgent(given.httpAgent ?? (await given.httpAgentProvider?.())),
    httpsAgent: ownAgent(given.httpsAgent),
  }
}

/** The options of a plain agent, for the handler to make one; a special agent, for a proxy say, is shared. */
function ownAgent(agent: HttpAgent | undefined): object | undefined {
  if (agent === undefined) return undefined
  const prototype: unknown = Object.getPrototypeOf(agent)
  const isPlain = prototype === HttpAgent.prototype || prototype === HttpsAgent.prototype
  if (!isPlain || Object.hasOwn(agent, 'createConnection')) return agent
  return { ...Reflect.get(agent, 'options'), maxSockets: CONNECTIONS }
}

interface Handler {
  readonly metadata: unknown
  handle(request: unknown, options: unknown): Promise<unknown>
}

/** Requests wait here for a free connection, since the SDK's time-outs count the time that a request waits in its agent. */
class QueueingHandler implements Handler {
  readonly metadata: unknown
  readonly #handler: Handler
  readonly #turns = new Turns(CONNECTIONS)

  constructor(handler: Handler) {
    this.metadata = handler.metadata
    this.#handler = handler
  }

  handle(request: unknown, options: unknown): Promise<unknown> {
    return this.#turns.take(() => this.#handler.handle(request, options))
  }
}
