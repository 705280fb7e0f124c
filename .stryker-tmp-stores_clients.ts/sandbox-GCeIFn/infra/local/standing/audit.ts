/**
 * Checks a standing run by what passed on the wire: each token is higher than all before, and what leaders append is
 * applied in the order of their tokens. Measures how long the lease was without a leader.
 */
// @ts-nocheck

import { property } from '../../../functions/election/json.ts'
import { FAULT_WORDS } from '../faults/fault.ts'
import type { Interceptor } from '../lambda-host/interceptor.ts'
import type { Entry, FaultEntry, TenureEntry } from '../observe/entries.ts'
import { answerOf, numberOf } from '../observe/wire.ts'

/** From the fault, or from the leader's release, to the next acquisition. */
export interface Gap {
  readonly after: string
  /** Who led before. */
  readonly candidate: number
  readonly ms: number
}

const KEPT_GAPS = 1_000
/** Replies of writes that were under way together may arrive in another order. */
const KEPT_WRITES = 100
/** If the leader still leads after these, its lease was not lost. */
const REPAIRS = [FAULT_WORDS.thawLeader, FAULT_WORDS.reconnect, `${FAULT_WORDS.skewClock} right`]

export class Audit {
  readonly #workTable: string
  readonly gaps: Gap[] = []
  longestGapMs: number | undefined
  tenures = 0
  appended = 0
  readonly #wrong = { tokens: 0, order: 0 }
  #highestToken = 0
  #leader: TenureEntry | undefined
  #lost: (Omit<Gap, 'ms'> & { readonly sinceMs: number }) | undefined
  /** What the row counted, and the token that wrote it; ascending. */
  readonly #writes: (readonly [count: number, token: number])[] = []

  constructor(workTable: string) {
    this.#workTable = workTable
  }

  /** The nearest to DynamoDB: it sees each write that was applied, also if its reply is lost. */
  readonly intercept: Interceptor = async (call, forward) => {
    const reply = await forward()
    if (call.target !== this.#workTable) return reply
    const { body, error } = answerOf(reply)
    const token = numberOf(property(call.body['ExpressionAttributeValues'], ':tenureFence'))
    const count = numberOf(property(property(body, 'Attributes'), 'appended'))
    if (error === undefined && token !== undefined && count !== undefined) this.#applied(count, token)
    return reply
  }

  #applied(count: number, token: number): void {
    this.appended = Math.max(this.appended, count)
    const after = this.#writes.findLastIndex(([earlier]) => earlier < count)
    const [before, next] = [this.#writes[after]?.[1] ?? 0, this.#writes[after + 1]?.[1] ?? Number.POSITIVE_INFINITY]
    if (token < before || token > next) this.#wrong.order += 1
    this.#writes.splice(after + 1, 0, [count, token])
    this.#writes.splice(0, this.#writes.length - KEPT_WRITES)
  }

  /** @returns the gap that this entry ends */
  add(entry: Entry): Gap | undefined {
    if (entry.kind === 'fault') this.#fault(entry)
    if (entry.kind !== 'tenure') return undefined
    const { number = 0 } = this.#leader ?? {}
    if (entry.number > number) return this.#began(entry)
    if (entry.number < number || this.#leader === undefined) return undefined // of a replaced leader
    const { candidate, end, endedAtMs, doneAtMs } = entry
    const isOver = this.#leader.end !== undefined
    this.#leader = entry
    if (isOver || end === 'takenOver') return undefined
    const after = this.#lost?.after
    if (endedAtMs !== undefined) {
      this.#lost = { after: after ?? (end === 'continued' ? 'handed over' : 'released'), candidate, sinceMs: endedAtMs }
    } else if (doneAtMs !== undefined) {
      this.#lost ??= { after: 'its process ended', candidate, sinceMs: doneAtMs }
    }
    return undefined
  }

  #fault({ description: after, candidate, atMs }: FaultEntry): void {
    if (candidate === undefined || candidate !== this.#leader?.candidate || this.#leader.end !== undefined) return
    const isHarmless = [FAULT_WORDS.dropReply, FAULT_WORDS.addCandidate].includes(after)
    if (REPAIRS.includes(after)) this.#lost = undefined
    else if (!isHarmless) this.#lost = { after, candidate, sinceMs: this.#lost?.sinceMs ?? atMs }
  }

  #began(entry: TenureEntry): Gap | undefined {
    const before = this.#leader
    this.tenures += 1
    if (entry.token <= this.#highestToken) this.#wrong.tokens += 1
    this.#highestToken = Math.max(this.#highestToken, entry.token)
    this.#leader = entry
    const lost = this.#lost ?? (before && { after: 'expired', ...before, sinceMs: before.expiresAtMs })
    this.#lost = undefined
    if (lost === undefined) return undefined
    const { after, candidate, sinceMs } = lost
    const gap = { after, candidate, ms: Math.max(0, entry.atMs - sinceMs) }
    this.gaps.push(gap)
    this.gaps.splice(0, this.gaps.length - KEPT_GAPS)
    this.longestGapMs = Math.max(this.longestGapMs ?? 0, gap.ms)
    return gap
  }

  /** As sentences without their full stops. */
  errors(): readonly string[] {
    const { tokens, order } = this.#wrong
    return [
      ...(tokens > 0 ? [`${tokens} of ${this.tenures} tenures got a token that was not higher than all before`] : []),
      ...(order > 0 ? [`${order} of ${this.appended} writes were applied after one with a higher token`] : []),
    ]
  }
}
