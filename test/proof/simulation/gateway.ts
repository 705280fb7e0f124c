/** The shipped payment sandbox behind a connection that loses, delays and copies requests and answers. */
import { GatewayOutcomeUnknownError } from '../../../functions/billing/gateway.ts'
import type { Leader, Transport } from '../../../functions/billing/transports.ts'
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
    const send = (request: GatewayRequest, leader: Leader, isRepeated: boolean): Promise<GatewayResponse> => {
      leader.signal.throwIfAborted()
      leader.beforeSend?.()
      const place = `${process.invocation} gateway ${++requests}`
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
        cancelTimeout()
        signal.removeEventListener('abort', abort)
        act()
      }
      const cancelTimeout = this.#world.timeline.after(TIMEOUT_MS, process, () =>
        settle(() => reject(unknown('no answer in time'))),
      )
      const abort = () => settle(() => reject(signal.reason))
      signal.addEventListener('abort', abort)
      this.#travel(request, process, place, (answer) => settle(() => resolve(answer)))
    })
  }

  #travel(
    request: GatewayRequest,
    process: SimulatedProcess,
    place: string,
    receive: (answer: GatewayResponse | 'lost') => void,
  ): void {
    const { timeline, faults, setting } = this.#world
    const random = faults.draw('gateway fails', place)?.random
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
