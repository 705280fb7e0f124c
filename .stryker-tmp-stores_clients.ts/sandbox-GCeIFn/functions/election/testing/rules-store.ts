// @ts-nocheck
import * as rules from '../rules.ts'
import type { AcquireReply, LeaseStore, WriteReply } from '../stores/store.ts'

/** The rules applied to a map: what the conformance suite holds every store to. */
export class RulesStore implements LeaseStore {
  readonly #records = new Map<string, rules.LeaseRecord>()

  /** A copy of the row. */
  read(lease: string): rules.LeaseRecord | undefined {
    return structuredClone(this.#records.get(lease))
  }

  /** Changes attributes by hand, as an operator would. */
  edit(lease: string, changes: Partial<rules.LeaseRecord>): void {
    const record = this.#records.get(lease)
    if (record !== undefined) this.#records.set(lease, structuredClone({ ...record, ...changes }))
  }

  async acquire(request: rules.AcquireRequest): Promise<AcquireReply> {
    return this.#apply(request.lease, (record) => rules.acquire(record, request))
  }

  async write(request: rules.HolderWrite): Promise<WriteReply> {
    return withoutUndefined(this.#apply(request.lease, (record) => rules.write(record, request)))
  }

  async giveBack(request: rules.GiveBackRequest): Promise<WriteReply> {
    return withoutUndefined(this.#apply(request.lease, (record) => rules.giveBack(record, request)))
  }

  async requestTransfer(request: rules.TransferRequest): Promise<rules.Reply> {
    return this.#apply(request.lease, (record) => rules.requestTransfer(record, request))
  }

  /** The row shares no object with the request or the reply: later changes of those must not reach it. */
  #apply(lease: string, rule: (record: rules.LeaseRecord | undefined) => rules.Reply): rules.Reply {
    const reply = rule(this.#records.get(lease))
    if (reply.granted) this.#records.set(lease, structuredClone(reply.record))
    return structuredClone(reply)
  }
}

function withoutUndefined(reply: rules.Reply): WriteReply {
  if (reply.granted) return { granted: true }
  return reply.record === undefined ? { granted: false } : { granted: false, record: reply.record }
}
