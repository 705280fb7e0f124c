/**
 * The network between the workers and DynamoDB Local: a proxy that writes down every request and its answer, and lets
 * faults have their way with some of them. Its connections to DynamoDB Local are its own: a client that hangs up or dies takes
 * nothing with it that has been sent.
 */
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type HistoryFile, machineMs, NETWORK, type Try } from '../history.ts'
import { bodyOf, NOTE_HEADER, type Note, type Passage, Passing, type Upstream } from './passage.ts'

export type Fault = (passage: Passage) => Promise<void>

interface Rule {
  readonly matches: (note: Note) => boolean
  readonly fault: Fault
  /** As it is written down; absent where whoever set the rule writes it down. */
  readonly name?: string | undefined
  readonly tries: number
}

interface Waiting extends Rule {
  left: number
  /** Set at the first match: the other tries of that request meet the fault too. */
  request: string | undefined
  readonly struck: (note: Note | undefined) => void
}

export class Network {
  readonly endpoint: string
  /** Requests that said nothing of themselves, so that no history tells of them. */
  readonly troubles: string[] = []
  readonly #server: Server
  readonly #upstream: Upstream
  readonly #file: HistoryFile
  readonly #rules = new Set<Waiting>()
  readonly #underWay = new Set<Promise<unknown>>()
  readonly #spared = new Set<(note: Note) => boolean>()
  readonly #listeners = new Set<(tried: Try) => void>()
  #tries = 0

  private constructor(server: Server, endpoint: string, upstream: Upstream, file: HistoryFile) {
    this.#server = server
    this.endpoint = endpoint
    this.#upstream = upstream
    this.#file = file
    server.on('request', (incoming, response) => this.#track(this.#handle(incoming, response)))
  }

  static async start(upstream: string, file: HistoryFile, lease: string): Promise<Network> {
    const server = createServer({ keepAliveTimeout: 60_000 }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
    const { hostname: host, port } = new URL(upstream)
    const agent = new Agent({ keepAlive: true })
    return new Network(server, `http://127.0.0.1:${address.port}`, { host, port, agent, lease }, file)
  }

  /** All that was held back arrives before this resolves; the clients should have ended. */
  async drained(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
  }

  async stop(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    this.#upstream.agent.destroy()
    await once(this.#server, 'close')
  }

  /** The next request that matches meets the fault. Gives its note, or undefined where none came in time. */
  async meet(rule: Rule, withinMs: number): Promise<Note | undefined> {
    const { promise, resolve } = Promise.withResolvers<Note | undefined>()
    const waiting: Waiting = { ...rule, left: rule.tries, request: undefined, struck: resolve }
    this.#rules.add(waiting)
    const timer = setTimeout(() => {
      if (waiting.request === undefined) this.#rules.delete(waiting)
      resolve(undefined)
    }, withinMs)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
    }
  }

  /** Until the result is disposed of, no fault meets a request that matches. */
  spare(matches: (note: Note) => boolean): Disposable {
    this.#spared.add(matches)
    return { [Symbol.dispose]: () => void this.#spared.delete(matches) }
  }

  /** The next try, once it has ended, that `matches`; undefined where none came in time. */
  async next(matches: (tried: Try) => boolean, withinMs: number): Promise<Try | undefined> {
    const { promise, resolve } = Promise.withResolvers<Try | undefined>()
    const stop = this.listen((tried) => {
      if (matches(tried)) resolve(tried)
    })
    const timer = setTimeout(() => resolve(undefined), withinMs)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      stop()
    }
  }

  /** Calls back with every try that ended; gives a function that stops it. */
  listen(listener: (tried: Try) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #track(work: Promise<void>): void {
    const settled = work.catch(() => {}).finally(() => this.#underWay.delete(settled))
    this.#underWay.add(settled)
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    incoming.on('error', () => {}) // a client may hang up, or be killed, whenever it likes
    response.on('error', () => {})
    const body = await bodyOf(incoming)
    if (incoming.headers[NOTE_HEADER] === undefined) {
      this.troubles.push(`A request came without a note of what it is for: ${incoming.headers['x-amz-target']}.`)
      response.writeHead(400).end()
      return
    }
    const passing = new Passing(this.#upstream, incoming, response, body)
    const rule = this.#ruleFor(passing.note)
    const id = ++this.#tries
    passing.onCopy = (moment) => this.#track(this.#copy(passing, moment))
    try {
      await (rule?.fault ?? pass)(passing)
    } catch {
      passing.hangUp() // DynamoDB Local broke the connection
    }
    this.#write({ id, ...passing.outcome(), ...(rule?.name === undefined ? {} : { fault: rule.name }) })
  }

  #ruleFor(note: Note): Waiting | undefined {
    if ([...this.#spared].some((matches) => matches(note))) return undefined
    for (const rule of this.#rules) {
      const isNext = rule.request === undefined ? rule.matches(note) : rule.request === note.request
      if (!isNext) continue
      rule.request = note.request
      rule.struck(note)
      if (--rule.left === 0) this.#rules.delete(rule)
      return rule
    }
    return undefined
  }

  async #copy(original: Passing, moment: Promise<unknown>): Promise<void> {
    await moment
    const id = ++this.#tries
    const invokedAtMs = machineMs()
    const { answer } = await original.exchange()
    const { outcome: _outcome, answer: _answer, withheld: _withheld, ...tried } = original.outcome()
    const times = { invokedAtMs, forwardedAtMs: invokedAtMs }
    this.#write({ id, ...tried, ...times, who: NETWORK, outcome: 'open', ...(answer && { withheld: answer }) })
  }

  #write(fields: Omit<Try, 'kind'>): void {
    const tried: Try = { kind: 'try', ...fields }
    this.#file.write(tried)
    for (const listener of this.#listeners) listener(tried)
  }
}

const pass: Fault = async (passage) => passage.deliver(await passage.forward())
