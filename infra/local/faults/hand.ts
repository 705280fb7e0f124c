/**
 * The hand that breaks a running election: on the page, by flags, or by a scenario. It acts on processes and on what passes
 * between them; the functions are those that are deployed.
 */
import { type Clock, systemClock } from '../../../functions/election/clock.ts'
import type { CandidateEntry, LeaderEntry } from '../console/entries.ts'
import { leaseCallOf, writesOf } from '../console/lease-call.ts'
import type { Recorder } from '../console/recorder.ts'
import type { Call, Interceptor, Reply } from '../host/interceptor.ts'
import type { LambdaHost } from '../host/lambda-host.ts'
import { type Act, ActError, MOST_CANDIDATES } from './acts.ts'

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
  /** What waits for a leader to do it to. */
  armed(): 'kill' | 'freeze' | undefined
  /** An invocation has ended: what waited for it waits no more. */
  ended(requestId: string): void
}

export interface HandOptions {
  /** At the start there are so many, from 1. */
  readonly candidates: number
  readonly leaseTable: string
  readonly processes: Pick<LambdaHost, 'kill' | 'freeze' | 'thaw'>
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

type Condition = Omit<CandidateEntry, 'kind' | 'candidate'>

const FRESH: Condition = { isThere: false, skewMs: 0, isCutOff: false, dropsReply: false }

type Forward = () => Promise<Reply>

export function createHand(options: HandOptions): Hand {
  const { leaseTable, processes, recorder, deliverAgain, pastLeaseMs, tell, signal, clock = systemClock } = options
  const conditions = new Map<number, Condition>()
  let armed: 'kill' | 'freeze' | undefined
  /** The requests that are frozen, and what lets each go on. */
  const frozen = new Map<string, (way: 'on' | 'gone') => void>()
  /** The requests that were killed, and have not ended yet: nothing more can be done to them. */
  const dying = new Set<string>()
  signal.addEventListener('abort', () => frozen.forEach((release) => void release('gone')), { once: true })

  const change = (candidate: number, changed: Partial<Condition>) => {
    const condition = { ...(conditions.get(candidate) ?? FRESH), ...changed }
    conditions.set(candidate, condition)
    tell({ kind: 'candidate', candidate, ...condition })
  }
  const tellLeader = () => {
    const numbers = [...frozen.keys()].flatMap((requestId) => recorder.candidateOf(requestId) ?? [])
    tell({ kind: 'leader', armed, frozen: numbers })
  }
  const arm = (what: 'kill' | 'freeze' | undefined) => {
    armed = what
    tellLeader()
  }
  const present = () => [...conditions].flatMap(([candidate, { isThere }]) => (isThere ? [candidate] : []))
  const isCutOff = (requestId: string) => {
    const candidate = recorder.candidateOf(requestId)
    return candidate !== undefined && conditions.get(candidate)?.isCutOff === true
  }
  const conditionOf = (candidate: number): Condition => {
    const condition = conditions.get(candidate)
    if (condition?.isThere === true) return condition
    throw new ActError(`There is no candidate ${candidate}, only ${present().join(', ')}`)
  }

  /** False where the process has ended by itself, or is being killed already. */
  async function kill(requestId: string, where: string): Promise<boolean> {
    if (dying.has(requestId)) return false
    dying.add(requestId)
    const killed = await processes.kill(requestId)
    if (killed) recorder.broken(`killed${where}`, { requestId })
    else dying.delete(requestId)
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
    recorder.broken('frozen, with a write on its way', { requestId })
    arm(undefined)
    void giveOthersAChance(requestId, resolve)
    return (await thawed) === 'on' && !isCutOff(requestId) ? forward() : 'hangUp'
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
    if (armed === 'kill') {
      const isDue = write !== undefined || asked === 'complete' || asked === 'release'
      return isDue ? killWith(call, write, forward) : forward()
    }
    const isDue = service === 'dynamodb' && (write !== undefined || (asked !== undefined && asked !== 'acquire'))
    return isDue ? freezeWith(call, forward) : forward()
  }

  const intercept: Interceptor = async (call, forward) => {
    const candidate = recorder.candidateOf(call.requestId)
    const condition = candidate === undefined ? undefined : conditions.get(candidate)
    if (candidate === undefined || condition === undefined) return forward()
    if (condition.isCutOff) return 'hangUp'
    if (condition.dropsReply && call.service === 'dynamodb') {
      change(candidate, { dropsReply: false })
      await forward()
      recorder.broken('a reply to it was lost', { requestId: call.requestId })
      return 'hangUp'
    }
    return strike(call, () => forward())
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
      case 'addCandidate': {
        const number = Array.from({ length: MOST_CANDIDATES }, (_, index) => index + 1).find(
          (candidate) => conditions.get(candidate)?.isThere !== true,
        )
        if (number === undefined)
          throw new ActError(`There are ${MOST_CANDIDATES} candidates, which is as many as a tick can have`)
        change(number, { ...FRESH, isThere: true })
        return recorder.broken('added', { candidate: number })
      }
      case 'removeCandidate':
        conditionOf(what.candidate)
        if (present().length === 1) throw new ActError('One candidate at least has to stay')
        change(what.candidate, { isThere: false })
        return recorder.broken('removed', { candidate: what.candidate })
      case 'skewClock':
        conditionOf(what.candidate)
        change(what.candidate, { skewMs: what.ms })
        return recorder.broken(clockWords(what.ms), { candidate: what.candidate })
      case 'dropReply':
        conditionOf(what.candidate)
        return change(what.candidate, { dropsReply: true })
      case 'cutOff':
      case 'reconnect': {
        const cut = what.do === 'cutOff'
        if (conditionOf(what.candidate).isCutOff === cut) return
        change(what.candidate, { isCutOff: cut })
        return recorder.broken(cut ? 'cut off' : 'connected again', { candidate: what.candidate })
      }
    }
  }

  for (let candidate = 1; candidate <= options.candidates; candidate += 1) change(candidate, { isThere: true })
  tellLeader()

  return {
    intercept,
    act,
    candidates: () => present().sort((a, b) => a - b),
    skewOf: (candidate) => conditions.get(candidate)?.skewMs ?? 0,
    isFrozen: (requestId) => frozen.has(requestId),
    hasFrozen: () => frozen.size > 0,
    armed: () => armed,
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

function clockWords(ms: number): string {
  if (ms === 0) return 'its clock is right again'
  return `its clock is set ${Math.abs(ms) / 1000} s ${ms > 0 ? 'ahead' : 'behind'}`
}
