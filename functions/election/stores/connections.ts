import { type AgentOptions, Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { Turns } from '../turns.ts'
import { CONNECTIONS, IDLE_MS, SDK_TIMEOUTS } from './sdk-client.ts'

/** The SDK calls it for each try of a request. */
interface Handler {
  readonly metadata?: { readonly handlerProtocol?: string } | undefined
  handle(request: HttpRequest, options: unknown): Promise<unknown>
}

interface HttpRequest {
  readonly protocol?: string
}

/** Options of the SDK's own handler. */
interface HandlerOptions {
  readonly connectionTimeout?: number
  readonly requestTimeout?: number
  readonly httpAgent?: HttpAgent
  readonly httpAgentProvider?: () => Promise<HttpAgent>
  readonly httpsAgent?: HttpsAgent
}

/** The request handlers of the two paths. */
export interface Connections {
  readonly leases: Handler
  readonly effects: Handler
}

const connections = new WeakMap<Handler, Connections>()

/**
 * Effects go through the caller's handler. Lease requests have their own connections if possible, with the same options
 * and with time-outs: one set for each of the caller's handlers, however many stores use it.
 *
 * Otherwise lease requests share the caller's connections, and effects leave them a tenth. Only the SDK's own handler
 * for HTTP/1.1 with plain agents can be copied. An agent for a proxy cannot: a second one with the options of the first
 * may bypass the proxy, as hpagent's does.
 */
export function connectionsThrough(lent: Handler): Connections {
  const known = connections.get(lent)
  if (known !== undefined) return known
  const made = isOfTheSdk(lent) ? ofTheSdk(lent) : ofAnother(lent)
  connections.set(lent, made)
  return made
}

function ofTheSdk(lent: Handler): Connections {
  const own: Handler = Reflect.construct(lent.constructor, [async () => ownOptions(await optionsOf(lent))])
  const leases = new Turns(CONNECTIONS)
  const sharesFor = async (request: HttpRequest) => {
    const agent = await agentFor(request, lent)
    if (agent === undefined) return { leases, effects: undefined }
    return isPlain(agent) ? { leases, effects: sharesOf(agent).all } : sharesOf(agent)
  }
  return {
    leases: inTurns(own, async (request) => (await sharesFor(request)).leases),
    effects: inTurns(lent, async (request) => (await sharesFor(request)).effects),
  }
}

/** A connection of HTTP/2 carries many requests at once. For another handler, the SDK's default number is assumed. */
function ofAnother(lent: Handler): Connections {
  if (lent.metadata?.handlerProtocol === 'h2') return { leases: lent, effects: lent }
  const ofDefaultSize = {}
  const sharesFor = async (request: HttpRequest) => sharesOf((await agentFor(request, lent)) ?? ofDefaultSize)
  return { leases: lent, effects: inTurns(lent, async (request) => (await sharesFor(request)).effects) }
}

/** A request waits for its turn outside the handler, whose time-outs include the wait for a socket. */
function inTurns(handler: Handler, turnsFor: (request: HttpRequest) => Promise<Turns | undefined>): Handler {
  return {
    metadata: handler.metadata,
    async handle(request, options) {
      const turns = await turnsFor(request)
      const send = () => handler.handle(request, options)
      return await (turns?.take(send) ?? send())
    },
  }
}

interface Shares {
  readonly leases: Turns
  readonly effects: Turns
  /** For effects, if lease requests have connections of their own. */
  readonly all: Turns
}

const shares = new WeakMap<object, Shares>()

/** How many requests of each kind may be under way through an agent. */
function sharesOf(agent: Partial<Pick<HttpAgent, 'maxSockets' | 'maxTotalSockets'>>): Shares {
  const known = shares.get(agent)
  if (known !== undefined) return known
  const { maxSockets = CONNECTIONS, maxTotalSockets = maxSockets } = agent
  const sockets = Math.min(maxSockets, maxTotalSockets)
  const forLeases = Math.min(CONNECTIONS, Math.ceil(sockets / 10))
  const made = {
    leases: new Turns(forLeases),
    effects: new Turns(Math.max(1, sockets - forLeases)),
    all: new Turns(sockets),
  }
  shares.set(agent, made)
  return made
}

function isOfTheSdk(handler: Handler): boolean {
  const isNodeHttpHandler = Object.hasOwn(handler.constructor, 'checkSocketUsage') && !Object.hasOwn(handler, 'handle')
  return isNodeHttpHandler && Reflect.has(handler, 'configProvider')
}

async function optionsOf(handler: Handler): Promise<HandlerOptions> {
  return { ...(await Reflect.get(handler, 'configProvider')) }
}

async function agentFor({ protocol }: HttpRequest, handler: Handler): Promise<HttpAgent | undefined> {
  const options = await optionsOf(handler)
  return protocol === 'https:' ? options.httpsAgent : await httpAgentOf(options)
}

async function httpAgentOf({ httpAgent, httpAgentProvider }: HandlerOptions): Promise<HttpAgent | undefined> {
  return httpAgent ?? (await httpAgentProvider?.())
}

async function ownOptions(given: HandlerOptions): Promise<object> {
  const agents = [await httpAgentOf(given), given.httpsAgent]
  const [httpAgent, httpsAgent] = agents.map((agent) => agent && (isPlain(agent) ? ownAgentOptions(agent) : agent))
  // The caller may use all sockets of a shared agent, and the SDK counts the wait for one as connecting.
  const isShared = agents.some((agent) => agent && !isPlain(agent))
  return {
    ...given,
    connectionTimeout: given.connectionTimeout || (isShared ? undefined : SDK_TIMEOUTS.connectionTimeout),
    requestTimeout: given.requestTimeout || SDK_TIMEOUTS.requestTimeout,
    throwOnRequestTimeout: SDK_TIMEOUTS.throwOnRequestTimeout,
    httpAgent,
    httpsAgent,
  }
}

function isPlain(agent: HttpAgent): boolean {
  const prototype: unknown = Object.getPrototypeOf(agent)
  const isOfNode = prototype === HttpAgent.prototype || prototype === HttpsAgent.prototype
  return isOfNode && !Object.hasOwn(agent, 'createConnection')
}

function ownAgentOptions(agent: HttpAgent): object {
  const options: AgentOptions = Reflect.get(agent, 'options')
  const timeout = options.timeout || IDLE_MS
  return { ...options, timeout, maxSockets: CONNECTIONS, maxTotalSockets: Number.POSITIVE_INFINITY }
}
