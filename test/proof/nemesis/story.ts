/**
 * Histories made by hand, for testing the checks: requests are answered by the shipped rules, one after the other, unless
 * the story says otherwise. Each request takes 2 ms, and 8 ms pass before the next.
 */
import { marshall } from '@aws-sdk/util-dynamodb'
import type * as rules from '../../../functions/election/rules.ts'
import type { Failure } from '../part.ts'
import { type OnLeaseRow, replyTo } from './checks/specification.ts'
import { type Answer, type Event, type History, historyOf, type Label, NETWORK, type Try } from './history.ts'

export const LEASE_MS = 1_000
export const SKEW_MS = 200
const WALL_MS = Date.parse('2026-11-21T06:00:00.000Z')

export interface Leader extends rules.Tenure {
  step: number
  readonly tick?: string
}

/** What became of a request that DynamoDB carried out. */
export type Fate = 'answered' | 'reply lost'

export class Story {
  atMs = 5_000
  row: rules.LeaseRecord | undefined
  readonly #events: Event[] = []
  #ids = 0

  constructor() {
    const scales = { lease: 'nemesis', leaseMs: LEASE_MS, maxClockSkewMs: SKEW_MS }
    this.#events.push({ kind: 'run', workload: 'by hand', seed: 0, ...scales })
  }

  get wallMs(): number {
    return WALL_MS + this.atMs
  }

  wait(ms: number): void {
    this.atMs += ms
  }

  /** Changes the row behind everybody's back, as no request could. */
  edit(changes: Partial<rules.LeaseRecord>): void {
    if (this.row !== undefined) this.row = { ...this.row, ...changes }
  }

  tell(...events: readonly Event[]): void {
    this.#events.push(...events)
  }

  acquireRequest(who: string, tick?: string): rules.AcquireRequest {
    return {
      lease: 'nemesis',
      candidate: who,
      attempt: `attempt-${++this.#ids}`,
      ...(tick === undefined ? {} : { tick }),
      nowMs: this.wallMs,
      expiresAtMs: this.wallMs + LEASE_MS,
      maxClockSkewMs: SKEW_MS,
    }
  }

  /** One request on the lease row, answered by the rules; whoever tells it can change what is written down. */
  request(who: string, label: OnLeaseRow, fate: Fate = 'answered', changes: Partial<Try> = {}): rules.Reply {
    const before = this.row
    const reply = replyTo(before, label)
    if (reply.granted) this.row = reply.record
    const bringsRow = label.as === 'acquire' || !reply.granted
    const answer = this.#answer(reply.granted ? 'ok' : 'refused', bringsRow ? before : undefined)
    this.try(who, label, fate === 'answered' ? { outcome: answer.outcome, answer } : { withheld: answer }, changes)
    return reply
  }

  /** DynamoDB gives this answer, with the row as it is, whatever the rules say. */
  forge(who: string, label: OnLeaseRow, outcome: 'ok' | 'refused', fate: 'answered' | 'reply lost' = 'answered'): void {
    const answer = this.#answer(outcome, this.row)
    this.try(who, label, fate === 'answered' ? { outcome, answer } : { withheld: answer })
  }

  /** Nobody learns what became of it. */
  lost(who: string, label: Label): void {
    this.try(who, label, {})
  }

  /** The network lets it go no further. */
  dropped(who: string, label: Label, changes: Partial<Try> = {}): void {
    this.tell({ ...this.#open(who, label), ...changes })
    this.atMs += 10
  }

  /** Any try at all. */
  try(who: string, label: Label, said: Partial<Try>, changes: Partial<Try> = {}): void {
    this.tell({ ...this.#open(who, label), forwardedAtMs: this.atMs, ...said, ...changes })
    this.atMs += 10
  }

  #open(who: string, label: Label): Try {
    const id = ++this.#ids
    return { kind: 'try', id, who, request: `${who}-${id}`, label, invokedAtMs: this.atMs, outcome: 'open' }
  }

  /** Acquires, and believes it. @throws Error where the rules refuse it */
  lead(who: string, tick?: string): Leader {
    const request = this.acquireRequest(who, tick)
    const { granted, record } = this.request(who, { as: 'acquire', request })
    if (!granted || record === undefined) throw new Error(`the rules refuse ${who}`)
    return this.begin({ ...request, fencingToken: record.fencingToken })
  }

  begin({
    lease,
    candidate,
    attempt,
    fencingToken,
    tick,
  }: rules.AcquireRequest & { readonly fencingToken: number }): Leader {
    const leader = { lease, candidate, attempt, fencingToken, step: 0, ...(tick === undefined ? {} : { tick }) }
    this.#report(leader, 'began')
    this.believe(leader)
    return leader
  }

  believe(leader: Leader): void {
    this.#report(leader, 'believes')
  }

  renewal(leader: Leader): Extract<Label, { as: 'write' }> {
    const times = { nowMs: this.wallMs, expiresAtMs: this.wallMs + LEASE_MS }
    return { as: 'write', request: { ...tenureOf(leader), kind: 'renew', step: ++leader.step, ...times } }
  }

  renew(leader: Leader): void {
    this.request(leader.candidate, this.renewal(leader))
  }

  completion(leader: Leader, op?: string): Extract<Label, { as: 'write' }> {
    const tick = leader.tick === undefined ? {} : { tick: leader.tick }
    const request = { ...tenureOf(leader), kind: 'complete' as const, step: ++leader.step, nowMs: this.wallMs, ...tick }
    return { as: 'write', request, ...(op === undefined ? {} : { op }) }
  }

  complete(leader: Leader, op?: string): void {
    this.request(leader.candidate, this.completion(leader, op))
    if (op !== undefined) this.acknowledge(leader, op)
  }

  claim({ candidate, fencingToken }: Leader, op: string): void {
    this.try(candidate, { as: 'claim', op, fencingToken }, accepted(this.atMs))
  }

  /** An effect that DynamoDB accepted and the worker was told of. */
  effect(leader: Leader, op: string, seenToken?: number): void {
    const { candidate, fencingToken } = leader
    this.try(candidate, { as: 'effect', op, fencingToken }, accepted(this.atMs, seenToken))
    this.acknowledge(leader, op)
  }

  /** A delayed copy of an effect, which DynamoDB accepted. */
  copyOfEffect({ fencingToken }: Leader, op: string): void {
    const { answer } = accepted(this.atMs)
    this.try(NETWORK, { as: 'effect', op, fencingToken }, { withheld: answer })
  }

  acknowledge({ candidate: who, attempt, fencingToken, tick }: Leader, op: string): void {
    const ofTick = tick === undefined ? {} : { tick }
    this.tell({ kind: 'acknowledged', who, attempt, fencingToken, op, ...ofTick, atMs: this.atMs })
  }

  end(additions: readonly string[] = []): History {
    return historyOf([...this.#events, { kind: 'end', atMs: this.atMs, additions }])
  }

  #answer(outcome: 'ok' | 'refused', row: rules.LeaseRecord | undefined): Answer {
    return { outcome, atMs: this.atMs + 2, ...(row === undefined ? {} : { row: marshall(row) }) }
  }

  #report({ candidate: who, attempt, fencingToken, tick }: Leader, kind: 'began' | 'believes'): void {
    const ofTick = tick === undefined ? {} : { tick }
    this.tell({ kind, who, attempt, fencingToken, op: who, ...ofTick, atMs: this.atMs })
  }
}

/** What checks found, a line each. */
export function told(failures: readonly Failure[]): string[] {
  return failures.map(({ claim, what }) => `${claim ?? ''} ${what}`)
}

export function tenureOf({ lease, candidate, attempt, fencingToken }: Leader): rules.Tenure {
  return { lease, candidate, attempt, fencingToken }
}

/** What is said of a try that DynamoDB accepted, sent now. */
export function accepted(atMs: number, seenToken?: number): { readonly outcome: 'ok'; readonly answer: Answer } {
  return { outcome: 'ok', answer: { outcome: 'ok', atMs: atMs + 2, ...(seenToken === undefined ? {} : { seenToken }) } }
}
