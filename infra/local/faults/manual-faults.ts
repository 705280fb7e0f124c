/**
 * The hand that breaks a running election: on the page, by flags, or by a scenario. It acts on processes and on what passes
 * between them; the functions are those that are deployed.
 */
import { type Clock, systemClock } from '../../../functions/election/clock.ts'
import type { Processes } from '../lambda-host/environments.ts'
import type { Call, Interceptor, Reply } from '../lambda-host/interceptor.ts'
import type { CandidateEntry, LeaderEntry } from '../observe/entries.ts'
import { leaseCallOf, writesOf } from '../observe/lease-call.ts'
import type { Recorder } from '../observe/recorder.ts'
import { type Act, ActError } from './acts.ts'
import { createConditions } from './conditions.ts'

export interface Hand {
  readonly intercept: Interceptor
  /** @throws ActError where it cannot be done now */
  act(act: Act): Promise<void>
  /** The numbers of those that are woken at the next tick, ascending. */
  candidates(): readonly number[]
  /** How far a candidate's clock is ahead, in milliseconds. */
  skewOf(candidate: number): number
  isFrozen(requestId: string): boolean
  hasFrozen(): boolean
  /** How often each was done to a leader so far. */
  struck(): Readonly<Record<'kill' | 'freeze', number>>
  /** Whether what a candidate sends arrives. */
  isReachable(candidate: number): boolean
  /** An invocation has ended: what waited for it waits no more. */
  ended(requestId: string): void
}

export interface HandOptions {
  /** At the start there are so many, from 1. */
  readonly candidates: number
  readonly leaseTable: string
  readonly processes: Processes
  readonly recorder: Pick<Recorder, 'leader' | 'isLeading' | 'candidateOf' | 'broken'>
  /** Delivers the event of another candidate of this invocation's tick once more. */
  readonly deliverAgain: (requestId: string) => Promise<void>
  /** How long after its last sign of life another candidate can lead. */
  readonly pastLeaseMs: number
  readonly tell: (entry: CandidateEntry | LeaderEntry) => void
  /** Ends every wait. */
  readonly signal: AbortSignal
  /** @default the system's */
  readonly clock?: Pick<Clock, 'sleep'>
}

type Forward = () => Promise<Reply>

export function createHand(options: HandOptions): Hand {
  const { leaseTable, processes, recorder, deliverAgain, pastLeaseMs, tell, signal, clock = systemClock } = options
  const broken = (words: string, candidate: number) => recorder.broken(words, { candidate })
  const conditions = createConditions({ candidates: options.candidates, tell, broken })
  const struck = { kill: 0, freeze: 0 }
  let armed: 'kill' | 'freeze' | undefined
  /** The requests that are frozen, and what lets each go on. */
  const frozen = new Map<string, (way: 'on' | 'gone') => void>()
  /** The requests that were killed, and have not ended yet: nothing more can be done to them. */
  const dying = new Set<string>()
  signal.addEventListener('abort', () => frozen.forEach((release) => void release('gone')), { once: true })

  const tellLeader = () => {
    const numbers = [...frozen.keys()].flatMap((requestId) => recorder.candidateOf(requestId) ?? [])
    tell({ kind: 'leader', armed, frozen: numbers })
  }
  const arm = (what: 'kill' | 'freeze' | undefined) => {
    armed = what
    tellLeader()
  }
  const isReachable = (candidate: number) => conditions.of(candidate)?.isCutOff !== true

  /** False where the process has ended by itself, or is being killed already. */
  async function kill(requestId: string, where: string): Promise<boolean> {
    if (dying.has(requestId)) return false
    dying.add(requestId)
    const killed = await processes.kill(requestId)
    if (killed) {
      struck.kill += 1
      recorder.broken(`killed${where}`, { requestId })
    } else dying.delete(requestId)
    return killed
  }

  /** Kills the sender behind its first effect, or before it ends its tenure without any. */
  async function killWith(call: Call, write: string | undefined, forward: Forward): Promise<Reply | 'hangUp'> {
    arm(undefined) // at once: it may have other calls on their way
    let killed = false
    try {
      const reply = write === undefined ? undefined : await forward()
      const where =
        write === undefined ? ' before it could end its tenure' : `, its ${write} done and the reply on its way`
      killed = await kill(call.requestId, where)
      return killed ? 'hangUp' : await (reply ?? forward())
    } finally {
      if (!killed && armed === undefined) arm('kill')
    }
  }

  /** Holds the call back for as long as its sender is frozen. */
  async function freezeWith({ requestId }: Call, forward: Forward): Promise<Reply | 'hangUp'> {
    if (!processes.freeze(requestId)) return forward()
    const { promise: thawed, resolve } = Promise.withResolvers<'on' | 'gone'>()
    frozen.set(requestId, resolve)
    struck.freeze += 1
    recorder.broken('frozen, with a write on its way', { requestId })
    arm(undefined)
    void giveOthersAChance(requestId, resolve)
    const goesOn = (await thawed) === 'on' && isReachable(recorder.candidateOf(requestId) ?? 0)
    return goesOn ? forward() : 'hangUp'
  }

  /** @param release tells this freeze from a later one of the same request */
  async function giveOthersAChance(requestId: string, release: unknown): Promise<void> {
    await clock.sleep(pastLeaseMs, signal)
    if (frozen.get(requestId) === release && !signal.aborted) await deliverAgain(requestId)
  }

  function thaw(): void {
    if (frozen.size === 0) {
      if (armed !== 'freeze') throw new ActError('Nobody is frozen')
      arm(undefined)
      return
    }
    for (const [requestId, release] of [...frozen]) {
      frozen.delete(requestId)
      const isAwake = processes.thaw(requestId)
      if (isAwake) recorder.broken('thawed', { requestId })
      release(isAwake ? 'on' : 'gone')
    }
    tellLeader()
  }

  async function strike(call: Call, forward: Forward): Promise<Reply | 'hangUp'> {
    const { requestId, service } = call
    if (armed === undefined || signal.aborted || !recorder.isLeading(requestId)) return forward()
    if (dying.has(requestId) || frozen.has(requestId)) return forward() // it was sent before
    const [write] = writesOf(call, leaseTable)
    const asked = leaseCallOf(call, leaseTable)?.kind
    if (write === undefined && asked !== 'complete' && asked !== 'release') return forward()
    if (armed === 'kill') return killWith(call, write, forward)
    return service === 'dynamodb' ? freezeWith(call, forward) : forward()
  }

  const intercept: Interceptor = async (call, forward) => {
    const { requestId, service } = call
    const candidate = recorder.candidateOf(requestId)
    if (candidate === undefined) return forward()
    if (!isReachable(candidate)) return 'hangUp'
    if (service !== 'dynamodb' || !conditions.losesReply(candidate)) return strike(call, () => forward())
    await forward()
    recorder.broken('a reply to it was lost', { requestId })
    return 'hangUp'
  }

  async function act(what: Act): Promise<void> {
    switch (what.do) {
      case 'killLeader': {
        const leader = recorder.leader()
        if (leader === undefined || !(await kill(leader.requestId, ''))) arm('kill')
        return
      }
      case 'freezeLeader':
        return arm('freeze')
      case 'thawLeader':
        return thaw()
      default:
        return conditions.act(what)
    }
  }

  tellLeader()

  return {
    intercept,
    act,
    candidates: conditions.present,
    skewOf: (candidate) => conditions.of(candidate)?.skewMs ?? 0,
    isReachable,
    isFrozen: (requestId) => frozen.has(requestId),
    hasFrozen: () => frozen.size > 0,
    struck: () => struck,
    ended: (requestId) => {
      dying.delete(requestId)
      const release = frozen.get(requestId)
      if (release === undefined) return
      frozen.delete(requestId)
      release('gone')
      tellLeader()
    },
  }
}
