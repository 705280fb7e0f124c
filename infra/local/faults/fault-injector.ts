/** Injects planned faults: it counts the calls of a tick by kind, and applies the fault planned for a call. */
import { setTimeout as sleep } from 'node:timers/promises'
import { dynamodbError } from '../lambda-host/dynamodb-proxy.ts'
import type { Call, Interceptor, Reply } from '../lambda-host/interceptor.ts'
import type { LambdaHost } from '../lambda-host/lambda-host.ts'
import { type CallFault, type CallKind, isPlannedAt } from './fault.ts'

export interface FaultInjectorOptions {
  readonly kindOf: (call: Call) => CallKind | undefined
  readonly processes: Pick<LambdaHost, 'kill' | 'freeze' | 'thaw'>
  readonly onFault: (fault: CallFault, requestId: string) => void
  /** Invokes another candidate of this request's tick again, and settles when that has ended. */
  readonly deliverAgain: (requestId: string) => Promise<void>
  /** How long after its last renewal a lease can be acquired by another candidate. */
  readonly pastLeaseMs: number
  /** Ends every wait. */
  readonly signal: AbortSignal
}

type Forward = () => Promise<Reply>

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

  /** In the order in which they happened. */
  injected(): readonly CallFault[] {
    return this.#injected
  }

  async #apply(fault: CallFault, call: Call, forward: Forward): Promise<Reply | 'hangUp'> {
    switch (fault.do) {
      case 'killLeader':
        return this.#kill(fault, call, fault.when === 'before' ? undefined : await forward(), forward)
      case 'freezeLeader':
        return this.#freeze(fault, call, fault.when === 'before' ? undefined : await forward(), forward)
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

  /** @param reply present if the call was forwarded already */
  async #kill(fault: CallFault, call: Call, reply: Reply | undefined, forward: Forward): Promise<Reply | 'hangUp'> {
    if (!(await this.#options.processes.kill(call.requestId))) return reply ?? forward()
    this.#note(fault, call)
    return 'hangUp'
  }

  async #freeze(fault: CallFault, call: Call, reply: Reply | undefined, forward: Forward): Promise<Reply> {
    const { processes, pastLeaseMs, signal, deliverAgain } = this.#options
    const { requestId } = call
    if (!processes.freeze(requestId)) return reply ?? forward()
    this.#note(fault, call)
    await this.#pause(pastLeaseMs)
    if (!signal.aborted) await deliverAgain(requestId)
    processes.thaw(requestId)
    return reply ?? forward()
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

/** A reply of the gateway's function. */
function gatewayReply(statusCode: number): Reply {
  const headers = { 'content-type': 'application/json' }
  return {
    statusCode: 200,
    headers,
    body: JSON.stringify({ statusCode, headers, body: '{"error":{"type":"api_error"}}' }),
  }
}
