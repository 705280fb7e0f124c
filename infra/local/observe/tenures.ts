/** The tenures of a run, as the applied requests and the replies of the service show them. */
import { property } from '../../../functions/election/json.ts'
import type { Call } from '../lambda-host/interceptor.ts'
import type { Effect, Entry } from './entries.ts'
import {
  type Acquire,
  type Answer,
  endIn,
  gatewayStatusOf,
  grantOf,
  isRefusal,
  isRefusedByFence,
  type LeaseRequest,
  type Write,
  writesOf,
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

/** What a replaced leader wrote. */
export interface StaleWrites {
  /** How many writes the fence or the guard refused. */
  readonly refused: number
  /** The lease row refused the completion of its tick. */
  readonly isLateEnd: boolean
  /** The tables of accepted writes that neither fence nor guard protected, one for each write. */
  readonly unguarded: readonly string[]
}

export class Tenures {
  readonly #leaseTable: string
  readonly #add: (entry: Entry) => void
  readonly #now: () => number
  /** The tenure that the row of each lease names. */
  readonly #current = new Map<string, Tenure>()
  #count = 0

  constructor(leaseTable: string, add: (entry: Entry) => void, now: () => number) {
    this.#leaseTable = leaseTable
    this.#add = add
    this.#now = now
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
    this.#add({ kind: 'began', atMs: this.#now(), ...began })
    return tenure
  }

  isReplaced(tenure: Tenure): boolean {
    return this.#current.get(tenure.lease) !== tenure
  }

  /** @param wasReplaced already when the request was sent on to the service */
  applied(
    tenure: Tenure,
    call: Call,
    request: LeaseRequest | undefined,
    answer: Answer,
    wasReplaced: boolean,
  ): StaleWrites {
    const isRefused = this.isReplaced(tenure) && isRefusal(answer.error)
    const { token, candidate } = tenure
    const common = { atMs: this.#now(), tenure: tenure.tenure }
    const isLateEnd = isRefused && request?.kind === 'complete' && !tenure.hasEnded
    const unguarded: string[] = []
    const stale = { refused: 0, isLateEnd, unguarded }
    const add = (verdict: Effect['verdict'], what: string) => {
      this.#add({ kind: 'effect', ...common, token, candidate, verdict, what, times: 1 })
    }
    for (const write of writesOf(call, this.#leaseTable)) {
      const isGuarded = request !== undefined // the transaction checks the lease row
      const verdict = isRefused
        ? refusalOf(write, call, answer, isGuarded)
        : acceptanceOf(write, call, answer, wasReplaced && !isGuarded)
      if (verdict !== undefined) add(verdict, write.what + (verdict === 'accepted' && wasReplaced ? BUT_REPLACED : ''))
      if (verdict === 'refused') stale.refused += 1
      if (verdict === 'unguarded' && write.table !== undefined) stale.unguarded.push(write.table)
    }
    if (isLateEnd) add('refused', 'the completion of its tick')
    if (answer.error === undefined && request !== undefined) this.#leaseChanged(tenure, request)
    return stale
  }

  #leaseChanged(tenure: Tenure, request: LeaseRequest): void {
    const common = { atMs: this.#now(), tenure: tenure.tenure }
    if (request.kind === 'renew' || request.kind === 'saveCheckpoint' || request.kind === 'advance') {
      this.#add({ kind: 'renewed', ...common, expiresAtMs: request.expiresAtMs })
    }
    const how = endIn(request)
    if (how === undefined) return
    tenure.hasEnded = true
    this.#add({ kind: 'ended', ...common, how })
  }
}

const BUT_REPLACED = ', though it is replaced'

/** Undefined if another part of the write's condition refused it. */
function refusalOf({ isFenced }: Write, call: Call, { body }: Answer, isGuarded: boolean): 'refused' | undefined {
  const isItem = call.operation === 'TransactWriteItems'
  const isByFence = isItem ? isFenced : isRefusedByFence(call, property(body, 'Item'))
  return isGuarded || isByFence ? 'refused' : undefined
}

/** Undefined for a write that failed. */
function acceptanceOf(
  { table, isFenced, position }: Write,
  call: Call,
  { body, error }: Answer,
  isOpen: boolean,
): 'accepted' | 'unguarded' | undefined {
  if (error !== undefined || (gatewayStatusOf(call, body) ?? 200) >= 300) return undefined
  const { [position ?? 0]: one }: readonly unknown[] = Object(property(body, 'Responses') ?? [])
  if (property(one, 'Error') !== undefined) return undefined
  // A charge at the gateway has a key of its own.
  return isOpen && !isFenced && table !== undefined ? 'unguarded' : 'accepted'
}
