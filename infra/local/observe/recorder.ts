/**
 * Watches the wire, and says what happens in the words of an election. It stands at both ends: at the function it sees what
 * was asked and what the function got, at the service what really happened. It changes nothing.
 *
 * Whoever leads is read from the requests themselves, so that any function that uses the library can be watched.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Call, Interceptor, Reply } from '../lambda-host/interceptor.ts'
import { answerWords, jsonOf, requestWords } from './descriptions.ts'
import { createEffects } from './effects.ts'
import { doneOf, lastStepOf } from './endings.ts'
import type { Began, Effect, Entry } from './entries.ts'
import {
  type Acquire,
  errorOf,
  gatewayStatusOf,
  grantOf,
  isRefusal,
  type LeaseCall,
  leaseCallOf,
  writesOf,
} from './lease-call.ts'
import { type Answer, answered, asking, NOTHING_SEEN, type Seen } from './observations.ts'
import type { TryOutcome } from './outcome.ts'
import { createStories, type Step, type Stories, shownJson } from './stories.ts'

export interface Recorder {
  /** Nearest to the function. */
  readonly atFunction: Interceptor
  /** Nearest to what it calls. */
  readonly atService: Interceptor
  /** A candidate's try begins; its requests carry this request id. */
  woken(requestId: string, candidate: number, tick: string, retry: number): void
  done(requestId: string, outcome: TryOutcome, more?: Ended): void
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

export interface Ended {
  /** The last lines it wrote. */
  readonly logs?: readonly string[] | undefined
  /** When Lambda tries its event again; absent where it does not. */
  readonly retryInMs?: number | undefined
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

/** What a try was granted. */
interface Tenure extends Leader {
  readonly lease: string
  /** It ended its tenure in the row, whether or not it was told. */
  hasEnded: boolean
  /** Its try is over. */
  isDone: boolean
  /** The token that followed. */
  successor?: number
}

interface Try {
  readonly candidate: number
  readonly invocation: string
  readonly steps: Step[]
  /** By their leases: there may be several at once. */
  readonly tenures: Map<string, Tenure>
  /** That of the last grant. */
  last?: Tenure
  seen: Seen
  isDone: boolean
}

/** Requests of what was killed may still arrive. */
const REMEMBERED_TRIES = 500
/** Of a try that never leads. */
const MOST_STEPS = 300

export function createRecorder({ leaseTable, add, now = Date.now }: RecorderOptions): Recorder {
  const tries = new Map<string, Try>()
  const stories = createStories()
  /** The tenure that each lease's row names. */
  const currents = new Map<string, Tenure>()
  const effects = createEffects(add, now)
  let staleRefused = 0
  let tenures = 0

  const isReplaced = (tenure: Tenure) => currents.get(tenure.lease) !== tenure

  const began = (one: Try, requestId: string, asked: Acquire, body: unknown) => {
    const { token, before } = grantOf(asked, body)
    const { lease, tick, expiresAtMs } = asked
    const { candidate, invocation, steps } = one
    tenures += 1
    const tenure = { lease, requestId, candidate, tenure: tenures, token, hasEnded: false, isDone: false }
    const previous = currents.get(lease)
    if (previous !== undefined) previous.successor = token
    const replaced = before.holder === undefined ? undefined : previous?.tenure
    one.last = tenure
    one.tenures.set(lease, tenure)
    currents.set(lease, tenure)
    stories.begin(tenures, steps)
    add({ kind: 'began', atMs: now(), tenure: tenures, token, candidate, invocation, tick, expiresAtMs, replaced })
  }

  /** What a call changed, by the service's own answer. */
  const happened = (one: Try, call: Call, asked: LeaseCall | undefined, { body, error }: Answer) => {
    if (error === undefined && asked?.kind === 'acquire') began(one, call.requestId, asked, body)
    const tenure = asked === undefined ? one.last : one.tenures.get(asked.lease)
    if (tenure === undefined) return
    const verdict = verdictOf(call, body, error, isReplaced(tenure))
    if (verdict !== undefined) tellEffects(one, tenure, verdict, writesIn(tenure, call, asked, verdict))
    if (error === undefined && asked !== undefined) leaseChanged(tenure, asked)
  }

  const writesIn = (tenure: Tenure, call: Call, asked: LeaseCall | undefined, verdict: Effect['verdict']) => {
    const isRefusedEnd = verdict === 'refused' && asked?.kind === 'complete' && !tenure.hasEnded
    return [...writesOf(call, leaseTable), ...(isRefusedEnd ? ['the completion of its tick'] : [])]
  }

  const tellEffects = (one: Try, from: Tenure, verdict: Effect['verdict'], whats: readonly string[]) => {
    const { tenure, token, candidate } = from
    const more = verdict === 'accepted' && isReplaced(from) ? ', though it is replaced' : ''
    for (const what of whats) effects.add({ tenure, token, candidate, verdict, what: what + more })
    if (verdict === 'accepted') return
    staleRefused += whats.length
    one.seen = { ...one.seen, staleWritesRefused: one.seen.staleWritesRefused + whats.length }
  }

  const leaseChanged = (tenure: Tenure, asked: LeaseCall) => {
    const common = { atMs: now(), tenure: tenure.tenure }
    if (asked.kind === 'renew' || asked.kind === 'saveCheckpoint') {
      add({ kind: 'renewed', ...common, expiresAtMs: asked.expiresAtMs })
    }
    if (asked.kind !== 'complete' && asked.kind !== 'release') return
    effects.flush()
    tenure.hasEnded = true
    add({ kind: 'ended', ...common, how: asked.kind === 'complete' ? 'completed' : asked.how })
  }

  const atService: Interceptor = async (call, forward) => {
    const reply = await forward()
    const one = tries.get(call.requestId)
    if (one === undefined) return reply
    const passage = passages.getStore()
    if (passage !== undefined) passage.reply = reply
    const asked = leaseCallOf(call, leaseTable)
    const body = jsonOf(reply)
    const answer = { body, error: errorOf(reply, body) }
    happened(one, call, asked, answer)
    one.seen = answered(one.seen, asked, answer, one.last?.token)
    return reply
  }

  const atFunction: Interceptor = async (call, forward) => {
    const one = tries.get(call.requestId)
    if (one === undefined) return forward()
    const step: Step = { atMs: now(), words: requestWords(call, leaseTable), request: shownJson(call.body) }
    note(one, step)
    one.seen = asking(one.seen, leaseCallOf(call, leaseTable))
    const passage: Passage = {}
    let got: Reply | 'hangUp' = 'hangUp'
    try {
      got = await passages.run(passage, () => forward())
      return got
    } finally {
      const successor = one.last?.successor
      step.came = answerWords(call, leaseTable, { ...passage, got, successor })
      step.tookMs = now() - step.atMs
      const told = got === 'hangUp' ? passage.reply : got
      if (told !== undefined) step.answer = shownJson(jsonOf(told), told.body)
    }
  }

  const note = (one: Try, step: Step) => {
    if (one.last !== undefined) stories.note(one.last.tenure, step)
    else if (one.steps.length < MOST_STEPS) one.steps.push(step)
  }

  return {
    atFunction,
    atService,
    woken: (requestId, candidate, tick, retry) => {
      const invocation = `${requestId}/${retry}`
      const words = retry === 0 ? `Woken for the tick ${tick}` : `Tried again by Lambda, for the tick ${tick}`
      const steps = [{ atMs: now(), words }]
      tries.set(requestId, { candidate, invocation, steps, tenures: new Map(), seen: NOTHING_SEEN, isDone: false })
      const oldest = tries.size > REMEMBERED_TRIES ? [...tries].find(([, { isDone }]) => isDone)?.[0] : undefined
      if (oldest !== undefined) tries.delete(oldest)
      add({ kind: 'woken', atMs: now(), candidate, invocation, tick, retry })
    },
    done: (requestId, outcome, { logs, retryInMs } = {}) => {
      effects.flush()
      const one = tries.get(requestId)
      if (one === undefined) return
      one.isDone = true
      note(one, { atMs: now(), ...lastStepOf(outcome, logs) })
      for (const tenure of one.tenures.values()) tenure.isDone = true
      const { candidate, invocation } = one
      const retryAtMs = retryInMs === undefined ? {} : { retryAtMs: now() + retryInMs }
      add({ kind: 'done', atMs: now(), candidate, invocation, ...retryAtMs, ...doneOf(outcome) })
    },
    broken: (words, { candidate, requestId } = {}) => {
      effects.flush()
      const one = requestId === undefined ? undefined : tries.get(requestId)
      if (one !== undefined) note(one, { atMs: now(), words, isByHand: true })
      add({ kind: 'broken', atMs: now(), candidate: candidate ?? one?.candidate, words })
    },
    leader: () => [...currents.values()].find(isAtWork),
    isLeading: (requestId) => [...currents.values()].some((one) => one.requestId === requestId && isAtWork(one)),
    staleRefused: () => staleRefused,
    seen: (requestId) => tries.get(requestId)?.seen,
    candidateOf: (requestId) => tries.get(requestId)?.candidate,
    stories,
  }
}

const isAtWork = ({ hasEnded, isDone }: Tenure) => !hasEnded && !isDone

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
