import type { Answer, Exchange } from './exchange.ts'
import type { Faults, Injected } from './faults.ts'
import type { SimulatedProcess } from './process.ts'
import { Random } from './random.ts'
import { aborted } from './retries.ts'
import { type Service, serverError, throttled } from './service.ts'
import type { Timeline } from './timeline.ts'

/** What the wire tells of each request; true time is the timeline's. */
export interface Listener {
  sent(exchange: Exchange, fault: Injected | undefined): void
  /** The sender has the answer. */
  answered(exchange: Exchange, answer: Answer): void
}

/** What a fault may do to a process. */
export interface Processes {
  kill(process: SimulatedProcess, why: string): void
  freeze(process: SimulatedProcess, forMs: number): void
}

export interface Wires {
  readonly seed: number
  readonly timeline: Timeline
  readonly service: Service
  readonly faults: Faults
  readonly processes: Processes
  readonly listener: Listener
}

export type Reply = Answer & { readonly dateMs: number }

/** As the shipped clients are set up: so long to connect, so long for an answer. */
const CONNECT_MS = 1_000
const ANSWER_MS = 2_000

/** The connection of one process to DynamoDB: everything that can go wrong on a network goes wrong here. */
export class Wire {
  readonly #process: SimulatedProcess
  readonly #wires: Wires
  #cutOffUntilMs = 0

  constructor(process: SimulatedProcess, wires: Wires) {
    this.#process = process
    this.#wires = wires
  }

  /** Nothing gets through in either direction for a while. */
  cutOff(forMs: number): void {
    this.#cutOffUntilMs = this.#wires.timeline.nowMs + forMs
  }

  send(operation: string, body: Exchange['body'], signal: AbortSignal | undefined): Promise<Reply> {
    const { seed, timeline, faults, listener } = this.#wires
    const process = this.#process
    const place = `${process.errand} request ${++process.requests}`
    const exchange: Exchange = {
      process,
      place,
      operation,
      body,
      sentAtMs: timeline.nowMs,
      settled: false,
      arrivals: 0,
    }
    const isCutOff = timeline.nowMs < this.#cutOffUntilMs
    const fault = isCutOff ? undefined : faults.drawForRequest(place, timeline.nowMs)
    listener.sent(exchange, fault)
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        if (exchange.settled) return
        exchange.settled = true
        giveUp()
        act()
      }
      const giveUp = timeline.after(isCutOff ? CONNECT_MS : ANSWER_MS, process, () => settle(() => reject(timeOut())))
      signal?.addEventListener('abort', () => settle(() => reject(aborted())), { once: true })
      if (isCutOff) return
      const random = fault?.random ?? new Random(seed, `journey of ${place}`)
      this.#travel(exchange, fault, random, {
        answer: (answer, atMs) =>
          settle(() => {
            listener.answered(exchange, answer)
            resolve({ ...answer, dateMs: Math.floor(atMs / 1000) * 1000 })
          }),
        reset: () => settle(() => reject(connectionReset())),
      })
    })
  }

  #travel(exchange: Exchange, fault: Injected | undefined, random: Random, sender: Sender): void {
    const { timeline, service, processes } = this.#wires
    const process = this.#process
    const thereMs = random.between(1, random.chance(30) ? 120 : 6)
    const backMs = random.between(1, random.chance(30) ? 120 : 6)
    const answerAfter = (ms: number) => (answer: Answer) => {
      const atMs = timeline.nowMs // its date is that of being made, however long it travels
      timeline.after(ms, process, () => {
        if (timeline.nowMs >= this.#cutOffUntilMs) sender.answer(answer, atMs)
      })
    }
    const nobody = () => undefined
    const arrive = (afterMs: number, reply: (answer: Answer) => void) =>
      timeline.after(afterMs, undefined, () => service.receive(exchange, reply))
    const reset = (afterMs: number) => timeline.after(afterMs, process, sender.reset)
    const answer = answerAfter(backMs)

    switch (fault?.kind) {
      case 'request lost':
        if (random.chance(500)) reset(thereMs)
        return
      case 'reply lost':
        arrive(thereMs, nobody)
        if (random.chance(500)) reset(thereMs + backMs)
        return
      case 'request copied':
        arrive(thereMs, answer)
        arrive(random.spread(thereMs, 300_000), nobody)
        return
      case 'request late':
        arrive(random.spread(ANSWER_MS, 300_000), nobody)
        return
      case 'answer slow':
        arrive(
          random.chance(500) ? thereMs : random.between(100, ANSWER_MS),
          answerAfter(random.between(100, ANSWER_MS)),
        )
        return
      case 'throttled':
        timeline.after(thereMs + backMs, process, () => sender.answer(throttled(random), timeline.nowMs - backMs))
        return
      case 'server error': {
        const error = serverError(random)
        if (random.chance(500)) arrive(thereMs, nobody)
        timeline.after(thereMs + backMs, process, () => sender.answer(error, timeline.nowMs - backMs))
        return
      }
      case 'row in a transaction':
        service.keep(service.rowsOf(exchange), random.spread(8, 3_000))
        arrive(thereMs, answer)
        return
      case 'process dies':
        arrive(thereMs, answer)
        timeline.after(random.between(0, thereMs + backMs), undefined, () => processes.kill(process, 'dies'))
        return
      case 'process freezes':
        arrive(thereMs, answer)
        timeline.after(random.between(0, thereMs + backMs), undefined, () =>
          processes.freeze(process, random.spread(500, 200_000)),
        )
        return
      default:
        arrive(thereMs, answer)
    }
  }
}

interface Sender {
  /** `atMs` is when DynamoDB made it. */
  answer(answer: Answer, atMs: number): void
  reset(): void
}

function timeOut(): Error {
  return Object.assign(new Error('The request timed out'), { name: 'TimeoutError' })
}

function connectionReset(): Error {
  return Object.assign(new Error('The connection was reset'), { code: 'ECONNRESET' })
}
