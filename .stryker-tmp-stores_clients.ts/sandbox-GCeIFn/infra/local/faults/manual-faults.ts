/**
 * Injects faults into the running election at once: those of the page, of flags and of scenarios. It acts on processes
 * and on what passes between them; the functions are the deployed ones.
 */
// @ts-nocheck

import { type Clock, systemClock } from '../../../functions/election/clock.ts'
import type { Call, Interceptor, Reply } from '../lambda-host/interceptor.ts'
import type { LeaderEntry } from '../observe/entries.ts'
import type { Recorder } from '../observe/recorder.ts'
import { endIn, leaseRequestOf, writesOf } from '../observe/wire.ts'
import { Candidates, type CandidatesOptions } from './candidates.ts'
import { FAULT_WORDS, FaultError, type ManualFault } from './fault.ts'
import type { Forward, Injecting } from './planned-faults.ts'

export interface ManualFaultsOptions extends Injecting, CandidatesOptions {
  readonly leaseTable: string
  readonly election: Pick<Recorder, 'leader' | 'isLeading' | 'candidateOf'>
  readonly clock?: Pick<Clock, 'sleep'>
  /** @default refused: the candidates of a tick have nothing to hand over by hand. @throws FaultError */
  readonly handOver?: (candidate: number | undefined) => Promise<void>
}

type Armed = NonNullable<LeaderEntry['armed']>

export class ManualFaults {
  readonly candidates: Candidates
  readonly #options: ManualFaultsOptions
  readonly #clock: Pick<Clock, 'sleep'>
  readonly injected = { killLeader: 0, freezeLeader: 0 }
  #armed: Armed | undefined
  /** The frozen requests, each with the function that lets its write continue or drops it. */
  readonly #frozen = new Map<string, (way: 'continue' | 'drop') => void>()
  /** Killed requests whose invocation has not ended yet. */
  readonly #dying = new Set<string>()

  constructor(options: ManualFaultsOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.candidates = new Candidates(options)
    const dropAll = () => this.#frozen.forEach((release) => void release('drop'))
    options.signal.addEventListener('abort', dropAll, { once: true })
    this.#arm(undefined)
  }

  readonly intercept: Interceptor = async (call, forward) => {
    const { requestId, service } = call
    const candidate = this.#options.election.candidateOf(requestId)
    if (candidate === undefined) return forward()
    if (!this.candidates.isReachable(candidate)) return 'hangUp'
    if (service !== 'dynamodb' || !this.candidates.takeDroppedReply(candidate)) {
      return this.#applyArmed(call, () => forward())
    }
    await forward()
    this.#options.onFault(FAULT_WORDS.dropReply, { requestId })
    return 'hangUp'
  }

  async inject(fault: ManualFault): Promise<void> {
    switch (fault.do) {
      case 'killLeader': {
        const leader = this.#options.election.leader()
        if (leader === undefined || !(await this.#kill(leader, ''))) this.#arm('killLeader')
        return
      }
      case 'freezeLeader':
        return this.#arm('freezeLeader')
      case 'thawLeader':
        return this.#thaw()
      case 'handOver': {
        const { handOver } = this.#options
        if (handOver === undefined) throw new FaultError('Only servers that stay can hand over by hand')
        return handOver(fault.candidate)
      }
      default:
        return this.candidates.inject(fault)
    }
  }

  readonly isFrozen = (requestId: string): boolean => this.#frozen.has(requestId)

  hasFrozen(): boolean {
    return this.#frozen.size > 0
  }

  invocationEnded(requestId: string): void {
    this.#dying.delete(requestId)
    const release = this.#frozen.get(requestId)
    if (release === undefined) return
    this.#frozen.delete(requestId)
    release('drop')
    this.#addLeader()
  }

  async #applyArmed(call: Call, forward: Forward): Promise<Reply | 'hangUp'> {
    const { requestId, service } = call
    const { signal, election, leaseTable } = this.#options
    if (this.#armed === undefined || signal.aborted || !election.isLeading(requestId)) return forward()
    if (this.#dying.has(requestId) || this.#frozen.has(requestId)) return forward() // it was sent before
    const write = writesOf(call, leaseTable)[0]?.what
    const request = leaseRequestOf(call, leaseTable)
    if (write === undefined && (request === undefined || endIn(request) === undefined)) return forward()
    if (this.#armed === 'killLeader') return this.#killAt(call, write, forward)
    return service === 'dynamodb' ? this.#freezeAt(requestId, forward) : forward()
  }

  /** False if the invocation has ended, or is being killed already. */
  async #kill(requestId: string, moment: string): Promise<boolean> {
    if (this.#dying.has(requestId)) return false
    this.#dying.add(requestId)
    const isKilled = await this.#options.processes.kill(requestId)
    if (isKilled) {
      this.injected.killLeader += 1
      this.#options.onFault(`${FAULT_WORDS.killLeader}${moment}`, { requestId })
    } else this.#dying.delete(requestId)
    return isKilled
  }

  /** Kills the sender after its first write, or before it ends its tenure without one. */
  async #killAt({ requestId }: Call, write: string | undefined, forward: Forward): Promise<Reply | 'hangUp'> {
    const reply = write === undefined ? undefined : await forward()
    const moment = write === undefined ? ' before the end of its tenure' : ` after ${write}, before the reply`
    const isKilled = this.#armed === 'killLeader' && (await this.#kill(requestId, moment))
    if (!isKilled) return reply ?? forward()
    if (this.#armed === 'killLeader') this.#arm(undefined)
    return 'hangUp'
  }

  async #freezeAt(requestId: string, forward: Forward): Promise<Reply | 'hangUp'> {
    const { processes, onFault, election } = this.#options
    if (!processes.freeze(requestId)) return forward()
    const { promise: thawed, resolve } = Promise.withResolvers<'continue' | 'drop'>()
    this.#frozen.set(requestId, resolve)
    this.injected.freezeLeader += 1
    onFault(`${FAULT_WORDS.freezeLeader}, with a write on its way`, { requestId })
    this.#arm(undefined)
    void this.#invokeRivals(requestId, resolve)
    const continues = (await thawed) === 'continue' && this.candidates.isReachable(election.candidateOf(requestId) ?? 0)
    return continues ? forward() : 'hangUp'
  }

  /** @param release distinguishes this freeze from a later one of the same request */
  async #invokeRivals(requestId: string, release: unknown): Promise<void> {
    const { pastLeaseMs, signal, deliverAgain } = this.#options
    await this.#clock.sleep(pastLeaseMs, signal)
    if (this.#frozen.get(requestId) === release && !signal.aborted) await deliverAgain(requestId)
  }

  #thaw(): void {
    if (this.#frozen.size === 0) {
      if (this.#armed !== 'freezeLeader') throw new FaultError('No leader is frozen')
      this.#arm(undefined)
      return
    }
    for (const [requestId, release] of [...this.#frozen]) {
      this.#frozen.delete(requestId)
      const isRunning = this.#options.processes.thaw(requestId)
      if (isRunning) this.#options.onFault(FAULT_WORDS.thawLeader, { requestId })
      release(isRunning ? 'continue' : 'drop')
    }
    this.#addLeader()
  }

  #arm(armed: Armed | undefined): void {
    this.#armed = armed
    this.#addLeader()
  }

  #addLeader(): void {
    const { add, election } = this.#options
    const frozen = [...this.#frozen.keys()].flatMap((requestId) => election.candidateOf(requestId) ?? [])
    add({ kind: 'leader', armed: this.#armed, frozen })
  }
}
