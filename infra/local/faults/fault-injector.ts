/** Injects planned faults: it counts the calls of a tick by kind, and applies the fault planned for a call. */
import { setTimeout as sleep } from 'node:timers/promises'
import { dynamodbError } from '../lambda-host/dynamodb-proxy.ts'
import type { Processes } from '../lambda-host/environments.ts'
import type { Call, Interceptor, Reply } from '../lambda-host/interceptor.ts'
import { type CallFault, type CallKind, isPlannedAt } from './fault.ts'

export interface Injecting {
  readonly processes: Processes
  /** Invokes another candidate of this request's tick again, and settles when that has ended. */
  readonly deliverAgain: (requestId: string) => Promise<void>
  /** How long after its last renewal a lease can be acquired by another candidate. */
  readonly pastLeaseMs: number
  /** Ends every wait. */
  readonly signal: AbortSignal
}

export interface FaultInjectorOptions extends Injecting {
  readonly kindOf: (call: Call) => CallKind | undefined
  readonly onFault: (fault: CallFault, requestId: string) => void
}

export type Forward = () => Promise<Reply>

/** The client's time-out is 5 s: functions/billing/transports.ts. */
const LATE_MS = 6_000

export class FaultInjector {
  readonly #options: FaultInjectorOptions
  readonly #injected: CallFault[] = []
  readonly #counts = new Map<CallKind, number>()
  #planned: readonly CallFault[] = []

  constructor(options: FaultInjectorOptions) {
    this.#options = options
  }

  readonly intercept: Interceptor = async (call, forward) => {
    const kind = this.#options.kindOf(call)
    if (kind === undefined) return forward()
    const nth = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, nth)
    const fault = this.#planned.find((one) => isPlannedAt(one, kind, nth))
    return fault === undefined ? forward() : this.#apply(fault, call, () => forward())
  }

  tickStarts(faults: readonly CallFault[]): void {
    this.#planned = faults
    this.#counts.clear()
  }

  injected(): readonly CallFault[] {
    return this.#injected
  }

  async #apply(fault: CallFault, call: Call, forward: Forward): Promise<Reply | 'hangUp'> {
    switch (fault.do) {
      case 'killLeader':
      case 'freezeLeader': {
        const reply = fault.when === 'before' ? undefined : await forward()
        const isKilled = fault.do === 'killLeader' && (await this.#options.processes.kill(call.requestId))
        if (isKilled) this.#note(fault, call)
        else if (fault.do === 'freezeLeader') await this.#freeze(fault, call)
        return isKilled ? 'hangUp' : (reply ?? forward())
      }
      case 'dropReply':
        await forward()
        this.#note(fault, call)
        // The SDK would retry a lost connection to Lambda; a proxy before a real gateway answers 504.
        return call.service === 'lambda' ? gatewayReply(504) : 'hangUp'
      case 'dropRequest':
        this.#note(fault, call)
        return 'hangUp'
      case 'throttle':
        this.#note(fault, call)
        return dynamodbError('ThrottlingException', 'Rate of requests exceeds the allowed throughput.')
      case 'refuse':
        this.#note(fault, call)
        return gatewayReply(503)
      case 'delayReply': {
        const reply = await forward()
        this.#note(fault, call)
        await this.#pause(LATE_MS)
        return reply
      }
    }
  }

  async #freeze(fault: CallFault, call: Call): Promise<void> {
    const { processes, pastLeaseMs, signal, deliverAgain } = this.#options
    const { requestId } = call
    if (!processes.freeze(requestId)) return
    this.#note(fault, call)
    await this.#pause(pastLeaseMs)
    if (!signal.aborted) await deliverAgain(requestId)
    processes.thaw(requestId)
  }

  #note(fault: CallFault, { requestId }: Call): void {
    if (this.#injected.includes(fault)) return // one of several throttled calls
    this.#injected.push(fault)
    this.#options.onFault(fault, requestId)
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#options.signal }).catch(() => {})
  }
}

function gatewayReply(statusCode: number): Reply {
  const headers = { 'content-type': 'application/json' }
  const response = { statusCode, headers, body: '{"error":{"type":"api_error"}}' }
  return { statusCode: 200, headers, body: JSON.stringify(response) }
}
