/** Lets planned faults happen: counts the calls of a tick by their kind, and does what is planned for the one that comes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { dynamodbError } from '../lambda-host/dynamodb-proxy.ts'
import type { Processes } from '../lambda-host/environments.ts'
import type { Call, Interceptor, Reply } from '../lambda-host/interceptor.ts'
import type { CallKind } from './calls.ts'
import { type Fault, strikesAt } from './fault.ts'

export interface Striker {
  readonly intercept: Interceptor
  tickStarts(faults: readonly Fault[]): void
  /** Those that happened so far, in the order in which they did. */
  struck(): readonly Fault[]
}

export interface StrikerOptions {
  readonly kindOf: (call: Call) => CallKind | undefined
  readonly processes: Processes
  readonly onStrike: (fault: Fault, requestId: string) => void
  /** Wakes another candidate of this request's tick once more, and settles when it is done. */
  readonly wakeAnother: (requestId: string) => Promise<void>
  /** How long after its last sign of life another candidate can lead. */
  readonly pastLeaseMs: number
  /** Ends every wait. */
  readonly signal: AbortSignal
}

type Forward = () => Promise<Reply>

/** The client stops waiting after 5 s: functions/billing/transports.ts. */
const LATE_MS = 6_000

export function createStriker(options: StrikerOptions): Striker {
  const { kindOf, processes, onStrike, wakeAnother, pastLeaseMs, signal } = options
  const struck: Fault[] = []
  const counts = new Map<CallKind, number>()
  let planned: readonly Fault[] = []

  const strikes = (fault: Fault, { requestId }: Call) => {
    if (struck.includes(fault)) return // the second of several throttled calls
    struck.push(fault)
    onStrike(fault, requestId)
  }
  const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => {})

  async function carryOut(fault: Fault, call: Call, forward: Forward): Promise<Reply | 'hangUp'> {
    switch (fault.what) {
      case 'kill':
        return kill(fault, call, fault.when === 'before' ? undefined : await forward(), forward)
      case 'freeze':
        return freeze(fault, call, fault.when === 'before' ? undefined : await forward(), forward)
      case 'loseReply':
        await forward()
        strikes(fault, call)
        // The SDK would ask again after a lost connection; a proxy between us and a real gateway answers so instead.
        return call.service === 'lambda' ? gatewayReply(504) : 'hangUp'
      case 'drop':
        strikes(fault, call)
        return 'hangUp'
      case 'throttle':
        strikes(fault, call)
        return dynamodbError('ThrottlingException', 'Rate of requests exceeds the allowed throughput.')
      case 'refuse':
        strikes(fault, call)
        return gatewayReply(503)
      case 'delay': {
        const reply = await forward()
        strikes(fault, call)
        await pause(LATE_MS)
        return reply
      }
    }
  }

  /** `reply` is there where the call has been carried out. Nobody is killed who has ended already. */
  async function kill(fault: Fault, call: Call, reply: Reply | undefined, forward: Forward) {
    if (!(await processes.kill(call.requestId))) return reply ?? forward()
    strikes(fault, call)
    return 'hangUp'
  }

  async function freeze(fault: Fault, call: Call, reply: Reply | undefined, forward: Forward) {
    const { requestId } = call
    if (!processes.freeze(requestId)) return reply ?? forward()
    strikes(fault, call)
    await pause(pastLeaseMs)
    if (!signal.aborted) await wakeAnother(requestId)
    processes.thaw(requestId)
    return reply ?? forward()
  }

  const intercept: Interceptor = async (call, forward) => {
    const kind = kindOf(call)
    if (kind === undefined) return forward()
    const nth = (counts.get(kind) ?? 0) + 1
    counts.set(kind, nth)
    const fault = planned.find((one) => strikesAt(one, kind, nth))
    return fault === undefined ? forward() : carryOut(fault, call, () => forward())
  }

  return {
    intercept,
    tickStarts: (faults) => {
      planned = faults
      counts.clear()
    },
    struck: () => struck,
  }
}

/** What the function that stands for the gateway would have returned. */
function gatewayReply(statusCode: number): Reply {
  const response = {
    statusCode,
    headers: { 'content-type': 'application/json' },
    body: '{"error":{"type":"api_error"}}',
  }
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(response) }
}
