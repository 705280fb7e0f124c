/** The shipped payment sandbox behind a connection that loses, delays and copies requests and answers. */
import { GatewayOutcomeUnknownError } from '../../../functions/billing/gateway.ts'
import type { Leader, Transport } from '../../../functions/billing/transports.ts'
import type { GatewayRequest, GatewayResponse } from '../../../functions/sandbox/message.ts'
import { type Sandbox, sandbox } from '../../../functions/sandbox/sandbox.ts'
import { chargesOf, type SandboxCharge, type SandboxRow, type SandboxStore } from '../../../functions/sandbox/store.ts'
import { memoryStore } from '../../support/sandbox-memory.ts'
import { SimulatedProcess } from './process.ts'
import { Random } from './random.ts'
import type { World } from './world.ts'

/** The time-out of the shipped transport to the sandbox. */
const TIMEOUT_MS = 5_000
/** The longest that a request is under way. */
const LATEST_MS = 40_000
/**
 * How long the sandbox knows a key: longer than any copy of a request is under way, shorter than the next try of an
 * event.
 */
const KEY_WINDOW_MS = 50_000

export class SimulatedGateway {
  readonly #world: World
  readonly #process: SimulatedProcess
  readonly #answer: Sandbox
  readonly #rows = new Map<string, SandboxRow>()

  constructor(world: World) {
    this.#world = world
    const { timeline, setting } = world
    this.#process = new SimulatedProcess('gateway', timeline, setting.seed, 0)
    this.#answer = sandbox({
      keyWindowMs: KEY_WINDOW_MS,
      store: recording(memoryStore(), this.#rows),
      now: () => timeline.nowMs,
      sleep: (ms) => this.#process.clock.sleep(ms),
    })
  }

  charges(): readonly SandboxCharge[] {
    return [...this.#rows.values()].flatMap(chargesOf)
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
    const { timeline, faults, setting, findings } = this.#world
    const random = faults.draw('gateway fails', place)?.random
    const usual = new Random(setting.seed, `journey of ${place}`)
    const [thereMs, backMs] = [usual.between(5, 60), usual.between(5, 60)]
    const answer = (response: GatewayResponse) =>
      timeline.after(backMs, process, () => {
        if (response.headers['idempotent-replayed'] === 'true') findings.reached('charge answered again under its key')
        receive(response)
      })
    const dropReply = () => undefined
    const arrive = (afterMs: number, reply: (response: GatewayResponse) => void) =>
      timeline.after(afterMs, this.#process, () => void this.#answer(request).then(reply))
    switch (random?.pick('lost', 'answer lost', 'late', 'copied')) {
      case 'lost':
        timeline.after(thereMs + backMs, process, () => receive('lost'))
        return
      case 'answer lost':
        arrive(thereMs, dropReply)
        timeline.after(thereMs + backMs, process, () => receive('lost'))
        return
      case 'late':
        arrive(random?.spread(TIMEOUT_MS, LATEST_MS) ?? 0, dropReply)
        return
      case 'copied':
        arrive(thereMs, answer)
        arrive(random?.spread(thereMs, LATEST_MS) ?? 0, dropReply)
        return
      default:
        arrive(thereMs, answer)
    }
  }
}

function unknown(why: string): GatewayOutcomeUnknownError {
  return new GatewayOutcomeUnknownError(`The outcome at the gateway is unknown: ${why}`)
}

/** The sandbox's store, which also keeps all rows in a map. */
function recording(store: SandboxStore, rows: Map<string, SandboxRow>): SandboxStore {
  return {
    ...store,
    async record(execution, before) {
      const found = await store.record(execution, before)
      for (const row of await store.list(execution.customer)) rows.set(JSON.stringify([row.customer, row.key]), row)
      return found
    },
  }
}
