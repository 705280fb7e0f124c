/**
 * Watches the wire, and says what happens in the words of an election. It stands at both ends: at the function it sees what
 * was asked and what the function got, at the service what really happened. It changes nothing.
 *
 * Whoever leads is read from the requests themselves, so that any function that uses the library can be watched.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { property } from '../../../functions/json.ts'
import type { Call, Interceptor, Reply } from '../host/interceptor.ts'
import type { TryOutcome } from '../outcome.ts'
import { createEffects } from './effects.ts'
import { doneOf, lastStepOf } from './endings.ts'
import type { Began, Effect, Entry } from './entries.ts'
import { errorOf, gatewayStatusOf, isRefusal, type LeaseCall, leaseCallOf, rowOf, writesOf } from './lease-call.ts'
import { answered, asking, NOTHING_SEEN, type Seen } from './seen.ts'
import { createStories, type Step, type Stories, shownJson } from './stories.ts'
import { answerWords, jsonOf, requestWords } from './words.ts'

export interface Recorder {
  /** Nearest to the function. */
  readonly atFunction: Interceptor
  /** Nearest to what it calls. */
  readonly atService: Interceptor
  /** A candidate's try begins; its requests carry this request id. */
  woken(requestId: string, candidate: number, tick: string, retry: number): void
  done(requestId: string, outcome: TryOutcome): void
  /** Something was done by hand to this invocation, or to a candidate, or to all. */
  broken(words: string, on?: { readonly candidate?: number; readonly requestId?: string }): void
  /** Who leads and works now. */
  leader(): Leader | undefined
  /** Whether this invocation does: where every candidate was given a lease of its own, there are several. */
  isLeading(requestId: string): boolean
  candidateOf(requestId: string): number | undefined
  /** What the last try of this request asked of the leases; undefined for one that is remembered no more. */
  seen(requestId: string): Seen | undefined
  /** Writes of replaced leaders that were refused, since the start. */
  staleRefused(): number
  readonly stories: Pick<Stories, 'get'>
}

export interface Leader {
  readonly requestId: string
  readonly candidate: number
  /** See {@link Began}. */
  readonly tenure: number
  readonly token: number
}

export interface RecorderOptions {
  readonly leaseTable: string
  readonly add: (entry: Entry) => void
  readonly now?: () => number
}

/** One request on its way: how the end at the function learns what came back at the other. */
interface Passage {
  reply?: Reply
}

const passages = new AsyncLocalStorage<Passage>()

interface Try {
  readonly candidate: number
  readonly tick: string
  readonly invocation: string
  readonly steps: Step[]
  /** The lease that it was granted, and the tenure. */
  lease?: string
  tenure?: number
  token?: number
  /** It ended its tenure in the row, whether or not it was told. */
  hasEnded: boolean
  seen: Seen
  isDone: boolean
}

/** Requests of what was killed may still arrive. */
const REMEMBERED_TRIES = 500
export function createRecorder({ leaseTable, add, now = Date.now }: RecorderOptions): Recorder {
  const tries = new Map<string, Try>()
  const stories = createStories()
  /** The tenure that each lease's row names: one, unless every candidate was given a lease of its own. */
  const currents = new Map<string, Leader & { hasEnded: boolean }>()
  const effects = createEffects(add, now)
  let staleRefused = 0
  let tenures = 0

  const began = (one: Try, requestId: string, asked: LeaseCall & { kind: 'acquire' }, reply: Reply) => {
    const before = rowOf(property(jsonOf(reply), 'Attributes'))
    const token = (before.fencingToken ?? asked.nowMs) + 1
    const { candidate, invocation, steps } = one
    const replaced = before.holder === undefined ? undefined : currents.get(asked.lease)?.tenure
    tenures += 1
    const tenure = tenures
    Object.assign(one, { tenure, token, lease: asked.lease, hasEnded: false })
    currents.set(asked.lease, { requestId, candidate, tenure, token, hasEnded: false })
    stories.begin(tenure, steps)
    const { tick, expiresAtMs } = asked
    add({ kind: 'began', atMs: now(), tenure, token, candidate, invocation, tick, expiresAtMs, replaced })
  }

  /** What a call changed, by the service's own answer. */
  const happened = (one: Try, call: Call, reply: Reply) => {
    const body = jsonOf(reply)
    const error = errorOf(reply, body)
    const asked = leaseCallOf(call, leaseTable)
    if (error === undefined && asked?.kind === 'acquire') began(one, call.requestId, asked, reply)
    const verdict = verdictOf(call, body, error, isReplaced(one))
    if (verdict !== undefined) tellEffects(one, verdict, writesIn(one, call, asked, verdict))
    if (error === undefined && asked !== undefined) leaseChanged(one, asked)
  }

  const writesIn = (one: Try, call: Call, asked: LeaseCall | undefined, verdict: Effect['verdict']) => {
    const isRefusedEnd = verdict === 'refused' && asked?.kind === 'complete' && !one.hasEnded
    return [...writesOf(call, leaseTable), ...(isRefusedEnd ? ['the completion of its tick'] : [])]
  }

  const tellEffects = (one: Try, verdict: Effect['verdict'], whats: readonly string[]) => {
    const { tenure, token, candidate } = one
    if (tenure === undefined || token === undefined) return
    const more = verdict === 'accepted' && isReplaced(one) ? ', though it is replaced' : ''
    for (const what of whats) effects.add({ tenure, token, candidate, verdict, what: what + more })
    if (verdict === 'accepted') return
    staleRefused += whats.length
    one.seen = { ...one.seen, staleWritesRefused: one.seen.staleWritesRefused + whats.length }
  }

  const leaseChanged = (one: Try, asked: LeaseCall) => {
    const { tenure } = one
    if (tenure === undefined) return
    if (asked.kind === 'renew' || asked.kind === 'saveCheckpoint') {
      add({ kind: 'renewed', atMs: now(), tenure, expiresAtMs: asked.expiresAtMs })
    }
    if (asked.kind === 'complete' || asked.kind === 'release') {
      effects.flush()
      one.hasEnded = true
      const current = currentOf(one)
      if (current?.tenure === tenure) current.hasEnded = true
      add({ kind: 'ended', atMs: now(), tenure, how: asked.kind === 'complete' ? 'completed' : asked.how })
    }
  }

  const atService: Interceptor = async (call, forward) => {
    const reply = await forward()
    const one = tries.get(call.requestId)
    if (one === undefined) return reply
    const passage = passages.getStore()
    if (passage !== undefined) passage.reply = reply
    happened(one, call, reply)
    one.seen = answered(one.seen, call, leaseTable, reply, one.token)
    return reply
  }

  const atFunction: Interceptor = async (call, forward) => {
    const one = tries.get(call.requestId)
    if (one === undefined) return forward()
    const step: Step = { atMs: now(), words: requestWords(call, leaseTable), request: shownJson(call.body) }
    note(one, step)
    one.seen = asking(one.seen, call, leaseTable)
    const passage: Passage = {}
    let got: Reply | 'hangUp' = 'hangUp'
    try {
      got = await passages.run(passage, () => forward())
      return got
    } finally {
      const successor = isReplaced(one) ? currentOf(one)?.token : undefined
      step.came = answerWords(call, leaseTable, { ...passage, got, successor })
      step.tookMs = now() - step.atMs
      const told = got === 'hangUp' ? passage.reply : got
      if (told !== undefined) step.answer = shownJson(jsonOf(told), told.body)
    }
  }

  const currentOf = ({ lease }: Try) => (lease === undefined ? undefined : currents.get(lease))
  const isReplaced = (one: Try) => (currentOf(one)?.tenure ?? 0) > (one.tenure ?? Number.POSITIVE_INFINITY)

  const note = (one: Try, step: Step) => {
    if (one.tenure === undefined) one.steps.push(step)
    else stories.note(one.tenure, step)
  }

  return {
    atFunction,
    atService,
    woken: (requestId, candidate, tick, retry) => {
      const invocation = `${requestId}/${retry}`
      const words = retry === 0 ? `Woken for the tick ${tick}` : `Tried again by Lambda, for the tick ${tick}`
      tries.set(requestId, {
        candidate,
        tick,
        invocation,
        seen: NOTHING_SEEN,
        hasEnded: false,
        isDone: false,
        steps: [{ atMs: now(), words }],
      })
      const oldest = tries.size > REMEMBERED_TRIES ? [...tries].find(([, { isDone }]) => isDone)?.[0] : undefined
      if (oldest !== undefined) tries.delete(oldest)
      add({ kind: 'woken', atMs: now(), candidate, invocation, tick, retry })
    },
    done: (requestId, outcome) => {
      effects.flush()
      const one = tries.get(requestId)
      if (one === undefined) return
      one.isDone = true
      note(one, { atMs: now(), ...lastStepOf(outcome) })
      const current = currentOf(one)
      if (current !== undefined && current.tenure === one.tenure) current.hasEnded = true
      const { candidate, invocation } = one
      add({ kind: 'done', atMs: now(), candidate, invocation, ...doneOf(outcome) })
    },
    broken: (words, { candidate, requestId } = {}) => {
      effects.flush()
      const one = requestId === undefined ? undefined : tries.get(requestId)
      if (one !== undefined) note(one, { atMs: now(), words, isByHand: true })
      add({ kind: 'broken', atMs: now(), candidate: candidate ?? one?.candidate, words })
    },
    leader: () => [...currents.values()].find(({ hasEnded }) => !hasEnded),
    isLeading: (requestId) => [...currents.values()].some((one) => one.requestId === requestId && !one.hasEnded),
    staleRefused: () => staleRefused,
    seen: (requestId) => tries.get(requestId)?.seen,
    candidateOf: (requestId) => tries.get(requestId)?.candidate,
    stories,
  }
}

/** Undefined for what changed nothing, and was not refused because another leads by then. */
function verdictOf(
  call: Call,
  body: unknown,
  error: string | undefined,
  stale: boolean,
): Effect['verdict'] | undefined {
  if (error !== undefined) return stale && isRefusal(error) ? 'refused' : undefined
  return (gatewayStatusOf(call, body) ?? 200) < 300 ? 'accepted' : undefined
}
