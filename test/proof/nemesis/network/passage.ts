/** One try of one request on its way between a worker and DynamoDB Local. */
import { once } from 'node:events'
import { type Agent, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, type Label, machineMs, type Outcome, type Try } from '../history.ts'
import { answerIn, type Reply } from './answers.ts'

/** The header in which a worker says who asks, and what for: a `Note`, URI-encoded JSON. */
export const NOTE_HEADER = 'x-nemesis'

export interface Note {
  readonly who: string
  /** Equal for all tries of one request. */
  readonly request: string
  readonly label: Label
}

/** One try on its way, in the hands of a fault. */
export interface Passage {
  readonly note: Note
  /** Lets it reach DynamoDB, and gives the reply. */
  forward(): Promise<Reply>
  /** Half of it reaches DynamoDB, then that connection breaks. */
  forwardHalf(): Promise<void>
  deliver(reply: Reply): void
  /** Half of the reply reaches the client, then the connection breaks. */
  deliverHalf(reply: Reply): void
  /** Destroys the client's connection. */
  hangUp(): void
  /** Sends another one to DynamoDB when the moment has come, whose answer nobody waits for. */
  copyAt(moment: Promise<unknown>): void
}

/** Where requests go, and the lease that they are about. */
export interface Upstream {
  readonly host: string
  readonly port: string
  readonly agent: Agent
  readonly lease: string
}

export class Passing implements Passage {
  readonly note: Note
  readonly #transaction: string | undefined
  readonly #invokedAtMs = machineMs()
  #forwardedAtMs: number | undefined
  readonly #upstream: Upstream
  readonly #headers: Record<string, string>
  readonly #body: Buffer
  readonly #response: ServerResponse
  #known: Answer | undefined
  #delivered: Answer | undefined
  onCopy: (moment: Promise<unknown>) => void = () => {}

  constructor(upstream: Upstream, incoming: IncomingMessage, response: ServerResponse, body: Buffer) {
    this.#upstream = upstream
    this.#body = body
    this.#response = response
    const { [NOTE_HEADER]: note, connection: _connection, ...headers } = plainHeaders(incoming)
    this.note = JSON.parse(decodeURIComponent(note ?? ''))
    this.#headers = headers
    const { ClientRequestToken }: { readonly ClientRequestToken?: string } = JSON.parse(body.toString())
    this.#transaction = ClientRequestToken
  }

  async forward(): Promise<Reply> {
    this.#forwardedAtMs = machineMs()
    const reply = await this.exchange()
    this.#known = reply.answer
    return reply
  }

  /** Sends it on without a note of it: what a copy comes to is the network's to write down. */
  async exchange(): Promise<Reply> {
    const outgoing = this.#send()
    outgoing.end(this.#body)
    const [incoming]: IncomingMessage[] = await once(outgoing, 'response')
    if (incoming === undefined) throw new Error('DynamoDB Local gave no answer')
    const body = await bodyOf(incoming)
    const status = incoming.statusCode ?? 500
    return {
      status,
      headers: plainHeaders(incoming),
      body,
      answer: answerIn(status, body, this.note.label, this.#upstream.lease),
    }
  }

  async forwardHalf(): Promise<void> {
    this.#forwardedAtMs = machineMs()
    const outgoing = this.#send()
    outgoing.on('error', () => {}) // ours to break
    outgoing.write(this.#body.subarray(0, this.#body.length / 2))
    await sleep(5)
    outgoing.destroy()
  }

  deliver({ status, headers, body, answer }: Reply): void {
    const socket = this.#response.socket
    if (socket === null || socket.destroyed) return
    this.#delivered = answer
    this.#response.writeHead(status, headers).end(body)
  }

  deliverHalf({ status, headers, body }: Reply): void {
    this.#response.writeHead(status, { ...headers, 'content-length': String(body.length) })
    this.#response.write(body.subarray(0, body.length / 2), () => this.hangUp())
  }

  hangUp(): void {
    this.#response.socket?.destroy()
  }

  copyAt(moment: Promise<unknown>): void {
    this.onCopy(moment)
  }

  outcome(): Omit<Try, 'kind' | 'id'> {
    const outcome: Outcome = this.#delivered?.outcome ?? 'open'
    const answer =
      this.#delivered !== undefined
        ? { answer: this.#delivered }
        : this.#known !== undefined
          ? { withheld: this.#known }
          : {}
    const transaction = this.#transaction === undefined ? {} : { transaction: this.#transaction }
    const forwarded = this.#forwardedAtMs === undefined ? {} : { forwardedAtMs: this.#forwardedAtMs }
    return { ...this.note, ...transaction, invokedAtMs: this.#invokedAtMs, ...forwarded, outcome, ...answer }
  }

  #send() {
    const { host, port, agent } = this.#upstream
    return request({ host, port, agent, method: 'POST', headers: this.#headers })
  }
}

export async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function plainHeaders({ headers }: IncomingMessage): Record<string, string> {
  const { 'transfer-encoding': _chunked, ...rest } = headers
  return Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)]))
}
