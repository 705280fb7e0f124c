import { describeLeaseRequest } from '../../../functions/election/stores/describe.ts'
import type { Answer } from '../../../functions/election/testing/dynamodb/answer.ts'
import { serverError, throttled } from './dynamodb-service.ts'
import type { Exchange } from './exchange.ts'
import type { Injected } from './faults.ts'
import type { SimulatedProcess } from './process.ts'
import { Random } from './random.ts'
import { LEASES } from './tenure.ts'
import type { World } from './world.ts'

type Reply = Answer & { readonly dateMs: number }

/** The time-outs of the shipped clients. */
const CONNECT_MS = 1_000
const ANSWER_MS = 2_000
/** The longest that a request is under way. */
const LATEST_MS = 300_000

/** The connection of one process to DynamoDB. All network faults are injected here. */
export class Connection {
  readonly #process: SimulatedProcess
  readonly #world: World
  #cutOffUntilMs = 0

  constructor(process: SimulatedProcess, world: World) {
    this.#process = process
    this.#world = world
  }

  /** Drops everything in both directions for a while. */
  cutOff(forMs: number): void {
    this.#cutOffUntilMs = this.#world.timeline.nowMs + forMs
  }

  async send(operation: string, body: Exchange['body'], signal: AbortSignal | undefined): Promise<Reply> {
    if (signal?.aborted) throw aborted() // as the SDK's own handler does
    const { setting, timeline, faults, requests } = this.#world
    const process = this.#process
    const place = `${process.invocation} request ${++process.requests}`
    const lease = describeLeaseRequest(operation, body, LEASES)
    const sentAtMs = timeline.nowMs
    const exchange: Exchange = { process, place, operation, body, lease, sentAtMs, settled: false, arrivals: 0 }
    const isCutOff = timeline.nowMs < this.#cutOffUntilMs
    const fault = isCutOff ? undefined : faults.drawForRequest(place)
    requests.sent(exchange)
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        if (exchange.settled) return
        exchange.settled = true
        cancelTimeout()
        act()
      }
      const cancelTimeout = timeline.after(isCutOff ? CONNECT_MS : ANSWER_MS, process, () =>
        settle(() => reject(Object.assign(new Error('The request timed out'), { name: 'TimeoutError' }))),
      )
      signal?.addEventListener('abort', () => settle(() => reject(aborted())), { once: true })
      if (isCutOff) return
      const random = fault?.random ?? new Random(setting.seed, `journey of ${place}`)
      this.#travel(exchange, fault, random, {
        answer: (answer, atMs) =>
          settle(() => {
            requests.answered(exchange, answer)
            resolve({ ...answer, dateMs: Math.floor(atMs / 1000) * 1000 })
          }),
        reset: () => settle(() => reject(Object.assign(new Error('The connection was reset'), { code: 'ECONNRESET' }))),
      })
    })
  }

  #travel(exchange: Exchange, fault: Injected | undefined, random: Random, sender: Sender): void {
    const { timeline, service, lambda } = this.#world
    const process = this.#process
    const thereMs = random.between(1, random.chance(30) ? 120 : 6)
    const backMs = random.between(1, random.chance(30) ? 120 : 6)
    const answerAfter = (ms: number) => (answer: Answer) => {
      const atMs = timeline.nowMs // the Date header is that of the answer's making
      timeline.after(ms, process, () => {
        if (timeline.nowMs >= this.#cutOffUntilMs) sender.answer(answer, atMs)
      })
    }
    const dropReply = () => undefined
    const arrive = (afterMs: number, reply: (answer: Answer) => void = answerAfter(backMs)) =>
      timeline.after(afterMs, undefined, () => service.receive(exchange, reply))
    const reset = (afterMs: number) => timeline.after(afterMs, process, sender.reset)
    const answerWith = (answer: Answer) =>
      timeline.after(thereMs + backMs, process, () => sender.answer(answer, timeline.nowMs - backMs))
    const atSomePoint = (act: () => void) => timeline.after(random.between(0, thereMs + backMs), undefined, act)

    switch (fault?.kind) {
      case 'request lost':
        if (random.chance(500)) reset(thereMs)
        return
      case 'reply lost':
        arrive(thereMs, dropReply)
        if (random.chance(500)) reset(thereMs + backMs)
        return
      case 'request copied':
        arrive(thereMs)
        arrive(random.spread(thereMs, LATEST_MS), dropReply)
        return
      case 'request late':
        arrive(random.spread(ANSWER_MS, LATEST_MS), dropReply)
        return
      case 'answer slow': {
        const afterMs = random.chance(500) ? thereMs : random.between(100, ANSWER_MS)
        arrive(afterMs, answerAfter(random.between(100, ANSWER_MS)))
        return
      }
      case 'throttled':
        return void answerWith(throttled(random))
      case 'server error': {
        const error = serverError(random)
        if (random.chance(500)) arrive(thereMs, dropReply)
        answerWith(error)
        return
      }
      case 'row in a transaction':
        service.lockRowsOf(exchange, random.spread(8, 3_000))
        arrive(thereMs)
        return
      case 'process dies':
        arrive(thereMs)
        atSomePoint(() => lambda.kill(process, 'dies'))
        return
      case 'process freezes':
        arrive(thereMs)
        atSomePoint(() => lambda.freeze(process, random.spread(500, 200_000)))
        return
      default:
        arrive(thereMs)
    }
  }
}

interface Sender {
  /** @param atMs when DynamoDB made the answer */
  answer(answer: Answer, atMs: number): void
  reset(): void
}

function aborted(): Error {
  return Object.assign(new Error('Request aborted'), { name: 'AbortError' })
}
