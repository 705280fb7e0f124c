/** The tenures of a run, as the applied requests and the replies of the service show them. */
// @ts-nocheck

import { property } from '../../../functions/election/json.ts'
import type { Call } from '../lambda-host/interceptor.ts'
import type { Effect, Entry, TenureEntry } from './entries.ts'
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

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

export interface Tenure {
  readonly requestId: string
  readonly lease: string
  readonly entry: Writable<TenureEntry>
}

export class Tenures {
  readonly #leaseTable: string
  readonly #add: (entry: Entry) => void
  readonly #now: () => number
  readonly #current = new Map<string, Tenure>()
  #count = 0
  /**
   * Of replaced leaders: writes that the fence or the guard refused; completions that the lease row refused; by table,
   * accepted writes that neither fence nor guard protected.
   */
  readonly stale = { refused: 0, completions: 0, unguarded: new Map<string, number>() }

  constructor(leaseTable: string, add: (entry: Entry) => void, now: () => number) {
    this.#leaseTable = leaseTable
    this.#add = add
    this.#now = now
  }

  /** Also for an attempt that failed without a tenure. */
  nextNumber(): number {
    this.#count += 1
    return this.#count
  }

  /** The first one that leads and still runs; there are several only if each candidate has a lease of its own. */
  leading(requestId?: string): Tenure | undefined {
    return [...this.#current.values()].find(
      ({ entry, requestId: own }) =>
        entry.end === undefined && entry.doneAtMs === undefined && (requestId === undefined || own === requestId),
    )
  }

  begin(requestId: string, candidate: number, request: Acquire, body: unknown): Tenure {
    const { token, before } = grantOf(request, body)
    const { lease, tick, expiresAtMs } = request
    const atMs = this.#now()
    const previous = this.#current.get(lease)
    const takenOver = before.holder === undefined ? {} : ({ end: 'takenOver', endedAtMs: atMs } as const)
    if (previous !== undefined) this.change(previous, { successor: token, ...takenOver })
    const own = { number: this.nextNumber(), token, candidate, tick, expiresAtMs }
    const entry: TenureEntry = { kind: 'tenure', atMs, ...own, accepted: 0, refused: 0, unguarded: 0 }
    const tenure = { requestId, lease, entry }
    this.#current.set(lease, tenure)
    this.change(tenure, {})
    return tenure
  }

  change({ entry }: Tenure, changes: Partial<TenureEntry>): void {
    Object.assign(entry, changes)
    this.#add({ ...entry })
  }

  isReplaced(tenure: Tenure): boolean {
    return this.#current.get(tenure.lease) !== tenure
  }

  /** @param wasReplaced already when the request was sent on to the service */
  applied(tenure: Tenure, call: Call, request: LeaseRequest | undefined, answer: Answer, wasReplaced: boolean): void {
    const isRefused = this.isReplaced(tenure) && isRefusal(answer.error)
    const isGuarded = request !== undefined // the transaction checks the lease row
    for (const write of writesOf(call, this.#leaseTable)) {
      const verdict = verdictOn(write, call, answer, { isRefused, isGuarded, wasReplaced })
      if (verdict === undefined) continue
      const { what, table = '' } = write
      this.#effect(tenure, verdict, verdict === 'accepted' && wasReplaced ? `${what}, though it is replaced` : what)
      if (verdict === 'refused') this.stale.refused += 1
      if (verdict === 'unguarded') this.stale.unguarded.set(table, (this.stale.unguarded.get(table) ?? 0) + 1)
    }
    if (isRefused && request?.kind === 'complete' && tenure.entry.end !== 'completed') {
      this.stale.completions += 1
      this.#effect(tenure, 'refused', 'the completion of its tick')
    }
    if (answer.error === undefined && request !== undefined) this.#leaseChanged(tenure, request)
  }

  #effect(tenure: Tenure, verdict: Effect['verdict'], what: string): void {
    const { number, token, candidate } = tenure.entry
    this.change(tenure, { [verdict]: tenure.entry[verdict] + 1 })
    this.#add({ kind: 'effect', atMs: this.#now(), tenure: number, token, candidate, verdict, what, times: 1 })
  }

  #leaseChanged(tenure: Tenure, request: LeaseRequest): void {
    if (request.kind !== 'acquire' && 'expiresAtMs' in request) {
      const { expiresAtMs } = request
      const announced = request.kind === 'proclaim' ? { announcement: JSON.stringify(request.announcement) } : {}
      this.change(tenure, { expiresAtMs, ...announced })
    }
    const end = endIn(request)
    if (end !== undefined) this.change(tenure, { end, endedAtMs: this.#now() })
  }
}

/** Undefined for a write that failed, or that another part of its condition refused. */
function verdictOn(
  { table, isFenced }: Write,
  call: Call,
  { body, error }: Answer,
  { isRefused, isGuarded, wasReplaced }: Readonly<Record<'isRefused' | 'isGuarded' | 'wasReplaced', boolean>>,
): Effect['verdict'] | undefined {
  if (isRefused) {
    const isByFence =
      call.operation === 'TransactWriteItems' ? isFenced : isRefusedByFence(call, property(body, 'Item'))
    return isGuarded || isByFence ? 'refused' : undefined
  }
  if (error !== undefined || (gatewayStatusOf(call, body) ?? 200) >= 300) return undefined
  // A charge at the gateway has a key of its own.
  return wasReplaced && !isFenced && table !== undefined ? 'unguarded' : 'accepted'
}
