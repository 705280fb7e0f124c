/** The tenures of a run, as the applied requests and the replies of the service show them. */
import type { Call } from '../lambda-host/interceptor.ts'
import type { Effect, Entry } from './entries.ts'
import {
  type Acquire,
  type Answer,
  endIn,
  gatewayStatusOf,
  grantOf,
  isRefusal,
  type LeaseRequest,
  otherWritesOf,
} from './wire.ts'

export interface Sender {
  readonly requestId: string
  readonly candidate: number
  readonly invocation: string
}

export interface Tenure extends Sender {
  readonly lease: string
  readonly tenure: number
  readonly token: number
  /** It ended in the lease row, even if the reply was lost. */
  hasEnded: boolean
  isDone: boolean
  successor?: number
}

export interface TenuresOptions {
  readonly leaseTable: string
  readonly add: (entry: Entry) => void
  readonly now: () => number
}

export class Tenures {
  readonly #options: TenuresOptions
  /** The tenure that the row of each lease names. */
  readonly #current = new Map<string, Tenure>()
  #count = 0

  constructor(options: TenuresOptions) {
    this.#options = options
  }

  /** The first one that leads and still runs; there are several only if each candidate has a lease of its own. */
  leading(requestId?: string): Tenure | undefined {
    return [...this.#current.values()].find(
      (tenure) => !tenure.hasEnded && !tenure.isDone && (requestId === undefined || tenure.requestId === requestId),
    )
  }

  begin(sender: Sender, request: Acquire, body: unknown): Tenure {
    const { token, before } = grantOf(request, body)
    const { lease, tick, expiresAtMs } = request
    this.#count += 1
    const tenure: Tenure = { ...sender, lease, tenure: this.#count, token, hasEnded: false, isDone: false }
    const previous = this.#current.get(lease)
    if (previous !== undefined) previous.successor = token
    const replaced = before.holder === undefined ? undefined : previous?.tenure
    this.#current.set(lease, tenure)
    const { candidate, invocation } = sender
    const began = { tenure: tenure.tenure, token, candidate, invocation, tick, expiresAtMs, replaced }
    this.#options.add({ kind: 'began', atMs: this.#options.now(), ...began })
    return tenure
  }

  /** @returns how many writes were refused because another candidate leads */
  applied(tenure: Tenure, call: Call, request: LeaseRequest | undefined, answer: Answer): number {
    const { leaseTable, add, now } = this.#options
    const isReplaced = this.#current.get(tenure.lease) !== tenure
    const verdict = verdictOf(call, answer, isReplaced)
    const isLateEnd = verdict === 'refused' && request?.kind === 'complete' && !tenure.hasEnded
    const writes = [...otherWritesOf(call, leaseTable), ...(isLateEnd ? ['the completion of its tick'] : [])]
    const suffix = verdict === 'accepted' && isReplaced ? ', though it is replaced' : ''
    const { token, candidate } = tenure
    const common = { atMs: now(), tenure: tenure.tenure }
    if (verdict !== undefined) {
      const effect = { kind: 'effect', ...common, token, candidate, verdict, times: 1 } as const
      for (const write of writes) add({ ...effect, what: write + suffix })
    }
    if (verdict === 'refused') return writes.length
    if (answer.error !== undefined || request === undefined) return 0
    if (request.kind === 'renew' || request.kind === 'saveCheckpoint') {
      add({ kind: 'renewed', ...common, expiresAtMs: request.expiresAtMs })
    }
    const how = endIn(request)
    if (how === undefined) return 0
    tenure.hasEnded = true
    add({ kind: 'ended', ...common, how })
    return 0
  }
}

/** Undefined for a request that changed nothing, for another reason than a newer leader. */
function verdictOf(call: Call, { body, error }: Answer, isReplaced: boolean): Effect['verdict'] | undefined {
  if (error !== undefined) return isReplaced && isRefusal(error) ? 'refused' : undefined
  return (gatewayStatusOf(call, body) ?? 200) < 300 ? 'accepted' : undefined
}
