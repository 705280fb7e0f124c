/** The shipped sandbox behind a wire on which requests and answers get lost, and come late. */
import { GatewayOutcomeUnknownError } from '../../../functions/billing/gateway.ts'
import type { Leader, Transport } from '../../../functions/billing/transports.ts'
import type { GatewayRequest, GatewayResponse } from '../../../functions/gateway-message.ts'
import { type Sandbox, sandbox } from '../../../functions/sandbox/sandbox.ts'
import { chargesOf, type SandboxCharge, type SandboxRow, type SandboxStore } from '../../../functions/sandbox/store.ts'
import { memoryStore } from '../../support/sandbox-memory.ts'
import type { Faults, Injected } from './faults.ts'
import { processOf, type SimulatedProcess } from './process.ts'
import { Random } from './random.ts'
import type { Timeline } from './timeline.ts'

/** As the shipped transport to the sandbox waits. */
const TIMEOUT_MS = 5_000
/** How late a request arrives at most. */
const TRAVEL_MS = 40_000
/** A day, made short: no copy of a request outlives its key, but the next try of an event does. */
const KEY_WINDOW_MS = 50_000

export class SimulatedGateway {
  readonly #timeline: Timeline
  readonly #faults: Faults
  readonly #seed: number
  readonly #process: SimulatedProcess
  readonly #answer: Sandbox
  readonly #rows = new Map<string, SandboxRow>()
  readonly #answered: (response: GatewayResponse) => void

  constructor(timeline: Timeline, faults: Faults, seed: number, answered: (response: GatewayResponse) => void) {
    this.#timeline = timeline
    this.#faults = faults
    this.#seed = seed
    this.#answered = answered
    this.#process = processOf('gateway', timeline, seed, 0)
    this.#answer = sandbox({
      keyWindowMs: KEY_WINDOW_MS,
      store: watched(memoryStore(), this.#rows),
      now: () => timeline.nowMs,
      sleep: (ms) => this.#process.clock.sleep(ms),
    })
  }

  /** All money that ever moved. */
  charges(): readonly SandboxCharge[] {
    return [...this.#rows.values()].flatMap(chargesOf)
  }

  /** Like the shipped transports: a connection that is lost is tried once more, by whoever still leads. */
  transportOf(process: SimulatedProcess): Transport {
    let requests = 0
    const send = (request: GatewayRequest, leader: Leader, isRepeated: boolean): Promise<GatewayResponse> => {
      leader.signal.throwIfAborted()
      leader.beforeSend?.()
      const place = `${process.errand} gateway ${++requests}`
      return this.#send(request, process, place, leader.signal).then((answer) => {
        if (answer !== 'lost') return answer
        if (isRepeated) throw unknown('the connection was lost twice')
        return send(request, leader, true)
      })
    }
    return async (request, leader) => await send(request, leader, false)
  }

  #send(
    request: GatewayRequest,
    process: SimulatedProcess,
    place: string,
    signal: AbortSignal,
  ): Promise<GatewayResponse | 'lost'> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        giveUp()
        signal.removeEventListener('abort', abort)
        act()
      }
      const giveUp = this.#timeline.after(TIMEOUT_MS, process, () => settle(() => reject(unknown('no answer in time'))))
      const abort = () => settle(() => reject(signal.reason))
      signal.addEventListener('abort', abort)
      const fault = this.#faults.draw('gateway fails', place, this.#timeline.nowMs)
      this.#travel(request, process, fault, new Random(this.#seed, `journey of ${place}`), {
        answer: (response) => settle(() => resolve(response)),
        reset: () => settle(() => resolve('lost')),
      })
    })
  }

  #travel(
    request: GatewayRequest,
    process: SimulatedProcess,
    fault: Injected | undefined,
    usual: Random,
    sender: Sender,
  ): void {
    const timeline = this.#timeline
    const thereMs = usual.between(5, 60)
    const backMs = usual.between(5, 60)
    const arrive = (afterMs: number, reply: (response: GatewayResponse) => void) =>
      timeline.after(afterMs, this.#process, () => void this.#answer(request).then(reply))
    const answer = (response: GatewayResponse) =>
      timeline.after(backMs, process, () => {
        this.#answered(response)
        sender.answer(response)
      })
    const reset = () => timeline.after(thereMs + backMs, process, sender.reset)
    const nobody = () => undefined
    switch (fault?.random.pick('lost', 'answer lost', 'late', 'copied')) {
      case 'lost':
        reset()
        return
      case 'answer lost':
        arrive(thereMs, nobody)
        reset()
        return
      case 'late':
        arrive(fault?.random.spread(TIMEOUT_MS, TRAVEL_MS) ?? 0, nobody)
        return
      case 'copied':
        arrive(thereMs, answer)
        arrive(fault?.random.spread(thereMs, TRAVEL_MS) ?? 0, nobody)
        return
      default:
        arrive(thereMs, answer)
    }
  }
}

interface Sender {
  answer(response: GatewayResponse): void
  reset(): void
}

function unknown(why: string): GatewayOutcomeUnknownError {
  return new GatewayOutcomeUnknownError(`The outcome at the gateway is unknown: ${why}`)
}

/** The sandbox's memory, with a view of all of its rows. */
function watched(store: SandboxStore, rows: Map<string, SandboxRow>): SandboxStore {
  return {
    ...store,
    async record(execution, before) {
      const found = await store.record(execution, before)
      for (const row of await store.list(execution.customer)) rows.set(JSON.stringify([row.customer, row.key]), row)
      return found
    },
  }
}
