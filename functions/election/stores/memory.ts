import * as rules from '../rules.ts'
import type { AcquireReply, LeaseStore, WriteReply } from './store.ts'

/** The protocol in memory: the rules applied to a map. For tests, and as the executable specification of a store. */
export class MemoryLeaseStore implements LeaseStore {
  readonly #records = new Map<string, rules.LeaseRecord>()

  /** The row as it is, for a test to look at. */
  read(lease: string): rules.LeaseRecord | undefined {
    return this.#records.get(lease)
  }

  /** Changes attributes by hand, as an operator would. */
  edit(lease: string, changes: Partial<rules.LeaseRecord>): void {
    const record = this.#records.get(lease)
    if (record !== undefined) this.#records.set(lease, { ...record, ...changes })
  }

  async acquire(request: rules.AcquireRequest): Promise<AcquireReply> {
    return this.#keep(rules.acquire(this.#records.get(request.lease), request))
  }

  async write(request: rules.HolderWrite): Promise<WriteReply> {
    return withoutUndefined(this.#keep(rules.write(this.#records.get(request.lease), request)))
  }

  async giveBack(request: rules.GiveBackRequest): Promise<WriteReply> {
    return withoutUndefined(this.#keep(rules.giveBack(this.#records.get(request.lease), request)))
  }

  #keep(reply: rules.Reply): rules.Reply {
    // A row has a life of its own: what the caller later does to the objects it passed must not reach it.
    if (reply.granted) this.#records.set(reply.record.lease, structuredClone(reply.record))
    return reply
  }
}

function withoutUndefined(reply: rules.Reply): WriteReply {
  if (reply.granted) return { granted: true }
  return reply.record === undefined ? { granted: false } : { granted: false, record: reply.record }
}
