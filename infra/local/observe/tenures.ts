/** The tenures of a run, as the applied requests and the replies of the service show them. */
import { property } from '../../../functions/election/json.ts'
import type { Call } from '../lambda-host/interceptor.ts'
import type { Effect, Entry, TenureEntry } from './entries.ts'
import * as wire from './wire.ts'

export interface ElectionOptions {
  readonly leaseTable: string
  readonly add: (entry: Entry) => void
  readonly now: () => number
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

export interface Tenure {
  readonly requestId: string
  readonly lease: string
  readonly entry: Writable<TenureEntry>
}

export class Tenures {
  readonly #options: ElectionOptions
  readonly #current = new Map<string, Tenure>()
  #count = 0
  /**
   * Of replaced leaders: writes that the fence or the guard refused; completions that the lease row refused; by table,
   * accepted writes that neither fence nor guard protected.
   */
  readonly stale = { refused: 0, completions: 0, unguarded: new Map<string, number>() }

  constructor(options: ElectionOptions) {
    this.#options = options
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

  begin(requestId: string, candidate: number, request: wire.Acquire, body: unknown): Tenure {
    const { token, before } = wire.grantOf(request, body)
    const { lease, tick, expiresAtMs } = request
    const atMs = this.#options.now()
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
    this.#options.add({ ...entry })
  }

  readonly isReplaced = (tenure: Tenure): boolean => this.#current.get(tenure.lease) !== tenure

  /** @param wasReplaced already when the request was sent on to the service */
  applied(tenure: Tenure, call: Call, answer: wire.Answer, wasReplaced: boolean): void {
    const { stale } = this
    const request = wire.leaseRequestOf(call, this.#options.leaseTable)
    const isRefused = this.isReplaced(tenure) && wire.isRefusal(answer.error)
    const isDone = answer.error === undefined && (wire.gatewayStatusOf(call, answer.body) ?? 200) < 300
    for (const write of wire.writesOf(call, this.#options.leaseTable)) {
      const { what, table, isFenced } = write
      if (isRefused) {
        // A transaction with a lease request checks the lease row.
        if (request === undefined && !wire.isRefusedByFence(write, call, property(answer.body, 'Item'))) continue
        stale.refused += 1
        this.#effect(tenure, 'refused', what)
      } else if (isDone && wasReplaced && !isFenced && table !== undefined) {
        stale.unguarded.set(table, (stale.unguarded.get(table) ?? 0) + 1)
        this.#effect(tenure, 'unguarded', what)
      } else if (isDone) this.#effect(tenure, 'accepted', wasReplaced ? `${what}, though it is replaced` : what)
    }
    if (isRefused && request?.kind === 'complete' && tenure.entry.end !== 'completed') {
      stale.completions += 1
      this.#effect(tenure, 'refused', 'the completion of its tick')
    }
    if (answer.error === undefined && request !== undefined) this.#leaseChanged(tenure, request)
  }

  #effect(tenure: Tenure, verdict: Effect['verdict'], what: string): void {
    const { number, token, candidate } = tenure.entry
    this.change(tenure, { [verdict]: tenure.entry[verdict] + 1 })
    const { add, now } = this.#options
    add({ kind: 'effect', atMs: now(), tenure: number, token, candidate, verdict, what, times: 1 })
  }

  #leaseChanged(tenure: Tenure, request: wire.LeaseRequest): void {
    if (request.kind !== 'acquire' && 'expiresAtMs' in request) {
      const announced = request.kind === 'proclaim' ? { announcement: JSON.stringify(request.announcement) } : {}
      this.change(tenure, { expiresAtMs: request.expiresAtMs, ...announced })
    }
    const end = wire.endIn(request)
    if (end !== undefined) this.change(tenure, { end, endedAtMs: this.#options.now() })
  }
}
