/** The shipped payment sandbox behind a connection that loses, delays and copies requests and answers. */
import { GatewayOutcomeUnknownError } from '../../../functions/billing/gateway.ts'
import type { Transport } from '../../../functions/billing/transports.ts'
import type { GatewayRequest, GatewayResponse } from '../../../functions/sandbox/message.ts'
import { type Sandbox, sandbox } from '../../../functions/sandbox/sandbox.ts'
import { chargesOf, type SandboxCharge } from '../../../functions/sandbox/store.ts'
import { memoryStore } from '../../support/sandbox-memory.ts'
import { SimulatedProcess } from './process.ts'
import { Random } from './random.ts'
import type { World } from './world.ts'

/** The time-out of the shipped transport to the sandbox. */
const TIMEOUT_MS = 5_000
/** The longest that a request is under way. */
const LATEST_MS = 40_000
/** The sandbox knows a key for longer than any copy is under way, and forgets it before the next try of an event. */
const KEY_WINDOW_MS = 50_000

export class SimulatedGateway {
  readonly #world: World
  readonly #process: SimulatedProcess
  readonly #answer: Sandbox
  readonly #store = memoryStore()

  constructor(world: World) {
    this.#world = world
    const { timeline, setting } = world
    this.#process = new SimulatedProcess('gateway', timeline, setting.seed, 0)
    this.#answer = sandbox({
      keyWindowMs: KEY_WINDOW_MS,
      store: this.#store,
      now: () => timeline.nowMs,
      sleep: (ms) => this.#process.clock.sleep(ms),
    })
  }

  charges(): readonly SandboxCharge[] {
    return this.#store.rows().flatMap(chargesOf)
  }

  /** Like the shipped transports, it sends a request again if the connection is lost and the caller still leads. */
  transportOf(process: SimulatedProcess): Transport {
    let requests = 0
    return async (request, { signal, beforeSend }) => {
      for (let tries = 1; tries <= 2; tries++) {
        signal.throwIfAborted()
        beforeSend?.()
        const place = `${process.invocation} gateway ${++requests}`
        const answer = await new Promise<GatewayResponse | 'lost'>((resolve, reject) => {
          this.#world.timeline.after(TIMEOUT_MS, process, () => reject(unknown('no answer in time')))
          signal.addEventListener('abort', () => reject(signal.reason), { once: true })
          this.#travel(request, process, place, resolve)
        })
        if (answer !== 'lost') return answer
      }
      throw unknown('the connection was lost twice')
    }
  }

  #travel(
    request: GatewayRequest,
    process: SimulatedProcess,
    place: string,
    receive: (answer: GatewayResponse | 'lost') => void,
  ): void {
    const { timeline, faults, setting } = this.#world
    const random = faults.draw('gateway fails', place)
    const usual = new Random(setting.seed, `journey of ${place}`)
    const [thereMs, backMs] = [usual.between(5, 60), usual.between(5, 60)]
    const answer = (response: GatewayResponse) =>
      timeline.after(backMs, process, () => {
        if (response.headers['idempotent-replayed'] === 'true')
          this.#world.reached('charge answered again under its key')
        receive(response)
      })
    const dropReply = () => undefined
    const arrive = (afterMs: number, reply: (response: GatewayResponse) => void) =>
      timeline.after(afterMs, this.#process, () => void this.#answer(request).then(reply))
    if (random === undefined) return void arrive(thereMs, answer)
    const fault = random.pick('lost', 'answer lost', 'late', 'copied')
    if (fault === 'answer lost') arrive(thereMs, dropReply)
    if (fault === 'copied') arrive(thereMs, answer)
    if (fault === 'late') arrive(random.spread(TIMEOUT_MS, LATEST_MS), dropReply)
    else if (fault === 'copied') arrive(random.spread(thereMs, LATEST_MS), dropReply)
    else timeline.after(thereMs + backMs, process, () => receive('lost'))
  }
}

function unknown(why: string): GatewayOutcomeUnknownError {
  return new GatewayOutcomeUnknownError(`The outcome at the gateway is unknown: ${why}`)
}
