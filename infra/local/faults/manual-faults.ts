/**
 * Injects faults into the running election at once: those of the page, of flags and of scenarios. It acts on processes
 * and on what passes between them; the functions are the deployed ones.
 */
import { type Clock, systemClock } from '../../../functions/election/clock.ts'
import type { Call, Interceptor, Reply } from '../lambda-host/interceptor.ts'
import type { CandidateEntry, LeaderEntry } from '../observe/entries.ts'
import type { Recorder } from '../observe/recorder.ts'
import { endIn, leaseRequestOf, writesOf } from '../observe/wire.ts'
import * as faults from './fault.ts'
import type { Forward, Injecting } from './planned-faults.ts'

export interface ManualFaultsOptions extends Injecting {
  readonly candidates: number
  readonly leaseTable: string
  readonly add: (entry: CandidateEntry | LeaderEntry) => void
  readonly election: Pick<Recorder, 'leader' | 'isLeading' | 'candidateOf'>
  readonly clock?: Pick<Clock, 'sleep'>
  /** @throws FaultError */
  readonly handOver?: (candidate: number | undefined) => Promise<void>
}

type Armed = NonNullable<LeaderEntry['armed']>

export class ManualFaults {
  readonly candidates: Candidates
  readonly #options: ManualFaultsOptions
  readonly injected = { killLeader: 0, freezeLeader: 0 }
  #armed: Armed | undefined
  /** The frozen requests, each with the function that lets its write continue or drops it. */
  readonly #frozen = new Map<string, (way: 'continue' | 'drop') => void>()
  /** Killed requests whose invocation has not ended yet. */
  readonly #dying = new Set<string>()

  constructor(options: ManualFaultsOptions) {
    this.#options = options
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
    this.#options.onFault(faults.FAULT_WORDS.dropReply, { requestId })
    return 'hangUp'
  }

  readonly inject = async (fault: faults.ManualFault): Promise<void> => {
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
      case 'handOver':
        if (this.#options.handOver === undefined)
          throw new faults.FaultError('Only servers that stay can hand over by hand')
        return this.#options.handOver(fault.candidate)
      default:
        return this.candidates.inject(fault)
    }
  }

  readonly isFrozen = (requestId: string): boolean => this.#frozen.has(requestId)
  readonly hasFrozen = (): boolean => this.#frozen.size > 0

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
      this.#options.onFault(`${faults.FAULT_WORDS.killLeader}${moment}`, { requestId })
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
    const { processes, onFault, election, clock = systemClock, pastLeaseMs, signal, deliverAgain } = this.#options
    if (!processes.freeze(requestId)) return forward()
    const { promise: thawed, resolve } = Promise.withResolvers<'continue' | 'drop'>()
    this.#frozen.set(requestId, resolve)
    this.injected.freezeLeader += 1
    onFault(`${faults.FAULT_WORDS.freezeLeader}, with a write on its way`, { requestId })
    this.#arm(undefined)
    void clock.sleep(pastLeaseMs, signal).then(() => {
      const isStillFrozen = this.#frozen.get(requestId) === resolve // and not again
      if (isStillFrozen && !signal.aborted) void deliverAgain(requestId)
    })
    const continues = (await thawed) === 'continue' && this.candidates.isReachable(election.candidateOf(requestId) ?? 0)
    return continues ? forward() : 'hangUp'
  }

  #thaw(): void {
    if (this.#frozen.size === 0) {
      if (this.#armed !== 'freezeLeader') throw new faults.FaultError('No leader is frozen')
      this.#arm(undefined)
      return
    }
    for (const [requestId, release] of [...this.#frozen]) {
      this.#frozen.delete(requestId)
      const isRunning = this.#options.processes.thaw(requestId)
      if (isRunning) this.#options.onFault(faults.FAULT_WORDS.thawLeader, { requestId })
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

const NEW = { kind: 'candidate', isPresent: true, skewMs: 0, isCutOff: false, dropsNextReply: false } as const

const CHANGES: Readonly<Record<faults.CandidateFaultName, Partial<CandidateEntry>>> = {
  dropReply: { dropsNextReply: true },
  cutOff: { isCutOff: true },
  reconnect: { isCutOff: false },
  removeCandidate: { isPresent: false },
}

/** The state of each candidate: its clock, its connection, whether it takes part. */
class Candidates {
  readonly #states: CandidateEntry[] = []
  readonly #options: ManualFaultsOptions

  constructor(options: ManualFaultsOptions) {
    this.#options = options
    for (let candidate = 1; candidate <= options.candidates; candidate += 1) this.#set({ ...NEW, candidate })
  }

  inject(fault: faults.CandidateFault): void {
    const present = this.present()
    if (fault.do === 'addCandidate') {
      if (present.length === faults.MAX_CANDIDATES) {
        throw new faults.FaultError(`There are already ${faults.MAX_CANDIDATES} candidates, the maximum`)
      }
      const gap = present.findIndex((number, index) => number !== index + 1)
      this.#set({ ...NEW, candidate: (gap === -1 ? present.length : gap) + 1 }, faults.FAULT_WORDS.addCandidate)
      return
    }
    const before = this.#states[fault.candidate]
    if (before?.isPresent !== true) {
      throw new faults.FaultError(`There is no candidate ${fault.candidate}, only ${present.join(', ')}`)
    }
    if (fault.do === 'removeCandidate' && present.length === 1) {
      throw new faults.FaultError('The last candidate cannot be removed')
    }
    const done = faults.FAULT_WORDS[fault.do]
    if (fault.do === 'skewClock') this.#set({ ...before, skewMs: fault.ms }, `${done} ${faults.describeSkew(fault.ms)}`)
    // A reply that will be dropped is recorded when it is.
    else this.#set({ ...before, ...CHANGES[fault.do] }, fault.do === 'dropReply' ? undefined : done)
  }

  /** The numbers of those that are invoked at the next tick, ascending. */
  readonly present = () => this.#states.filter(({ isPresent }) => isPresent).map(({ candidate }) => candidate)

  readonly skewMs = (candidate: number): number => this.#states[candidate]?.skewMs ?? 0
  readonly isReachable = (candidate: number): boolean => this.#states[candidate]?.isCutOff !== true

  /** Whether to drop this reply to the candidate; true once for each `dropReply`. */
  takeDroppedReply(candidate: number): boolean {
    const state = this.#states[candidate]
    if (state?.dropsNextReply !== true) return false
    this.#set({ ...state, dropsNextReply: false })
    return true
  }

  #set(state: CandidateEntry, description?: string): void {
    const { candidate } = state
    this.#states[candidate] = state
    this.#options.add(state)
    if (description !== undefined) this.#options.onFault(description, { candidate })
  }
}
