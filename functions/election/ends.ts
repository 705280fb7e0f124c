import { HandOverError, InvalidOptionError, LeaseError, LeaseStoreError } from './errors.ts'
import { whileInvocationLasts } from './invocation.ts'
import { ENDED_TEXT, type Ended, type Ending, type Leadership, type Tenancy } from './leadership.ts'
import { isClosedAlready, isOwnCompletion } from './refusal.ts'
import type { Renewals } from './renewals.ts'
import type { RowWrites } from './row-writes.ts'
import type { Checkpoint, Release } from './rules.ts'
import { effectsOf, type TransactItem } from './stores/store.ts'
import type { TickWork } from './tick-work.ts'
import { Turns } from './turns.ts'
import { copied } from './values.ts'

/**
 * How long a lease is kept for the next invocation of its work, in milliseconds: Lambda delivers an asynchronous event
 * within seconds, and again a minute after a failed try.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
const RESERVED_MS = 120_000

/** Between two tries of an end, in milliseconds. */
const LONGEST_PAUSE_MS = 1_000

/** A release after a failed task is only a courtesy: the lease expires by itself, and the task's error must get out. */
const RELEASE_TRIES = 3

/** Makes one end from the step that it is written under. */
type MakeEnd = (step: number) => Ending['send']

interface HowToEnd extends Pick<Ending, 'afterwards'> {
  readonly how?: Ended
  /** Before anything is sent: if it fails, the task still leads. */
  readonly before?: () => Promise<void>
  readonly tries?: number
  /** A second call is refused, even if the lease ended in this way. */
  readonly onlyOnce?: boolean
}

/** The ends of a lease, completion, release and hand-over: each is applied once, and sent until the row answers. */
export class Ends {
  readonly #tenancy: Tenancy
  readonly #leadership: Leadership
  readonly #writes: RowWrites
  readonly #renewals: Renewals
  readonly #work: TickWork
  /** Of two ends, the second waits for the outcome of the first. */
  readonly #turns = new Turns(1)
  /** The work goes on in no other invocation. */
  #notContinued: HandOverError | undefined
  /** The option continueBy was called. */
  #isContinued = false

  constructor(tenancy: Tenancy, leadership: Leadership, writes: RowWrites, renewals: Renewals, work: TickWork) {
    this.#tenancy = tenancy
    this.#leadership = leadership
    this.#writes = writes
    this.#renewals = renewals
    this.#work = work
  }

  async release(): Promise<void> {
    await this.#release(() => ({ endedBy: 'released' }))
  }

  /** @param to the candidate for which the lease is kept, for `reservedMs` */
  async resign(to: string, reservedMs: number): Promise<void> {
    const reserve = (nowMs: number) =>
      ({ endedBy: 'released', reservedFor: to, reservedUntilMs: nowMs + reservedMs }) as const
    await this.#release(reserve)
  }

  /** The release of a task that threw. */
  async fail(errorName: string): Promise<void> {
    await this.#release(() => ({ endedBy: 'failed', errorName }), { tries: RELEASE_TRIES })
  }

  /** Releases the lease for a new invocation, and starts that. */
  async handOver(given: Checkpoint, check: () => Promise<Checkpoint>): Promise<void> {
    let checkpoint = given
    const before = async () => {
      checkpoint = await check()
      await this.#tenancy.prepareContinuation?.()
    }
    const reservedFor = crypto.randomUUID()
    const reserve = (nowMs: number) =>
      ({ endedBy: 'continued', checkpoint, reservedFor, reservedUntilMs: nowMs + RESERVED_MS }) as const
    const afterwards = () => this.#continue(reservedFor)
    await this.#release(reserve, { how: 'continued', onlyOnce: true, before, afterwards })
  }

  async #release(releaseAt: (nowMs: number) => Release, options: HowToEnd = {}): Promise<void> {
    const { store } = this.#tenancy
    const release: MakeEnd = (step) => async (signal) => {
      const nowMs = this.#leadership.endMs()
      const request = { ...this.#leadership.tenure, kind: 'release', step, nowMs, ...releaseAt(nowMs) } as const
      this.#leadership.assertApplied(await store.write(request, signal), request)
    }
    await this.#end(release, { how: 'released', ...options })
  }

  /** The task asked for a hand-over that is not allowed: returning from it must not complete the tick. */
  refuseHandOver(error: HandOverError): void {
    this.#notContinued = error
  }

  /** @throws HandOverError, so that Lambda retries the event of this invocation: that may go on, too */
  async #continue(id: string): Promise<void> {
    this.#isContinued = true
    const { continueBy, clock, remainingMs, answerMs } = this.#tenancy
    const { lease } = this.#leadership.tenure
    const { tick } = this.#tenancy.record
    const continuation = { id, lease, ...(tick === undefined ? {} : { tick }) }
    const unanswered = 'The option continueBy was not done when the invocation was about to end.'
    try {
      const keptMs = Math.min(answerMs, remainingMs()) / 2
      await whileInvocationLasts({ clock, lease, remainingMs, unanswered }, keptMs, async () =>
        continueBy?.(continuation),
      )
    } catch (cause) {
      this.#notContinued = new HandOverError(
        `Lease "${lease}" was handed over and its state saved, but the next invocation was not started: see cause. ` +
          'Let the event be retried: the retry continues from the saved state. If the permission is missing, give ' +
          'the ElectedSchedule continues: true.',
        { lease, cause },
      )
      throw this.#notContinued
    }
  }

  async complete(items: readonly TransactItem[]): Promise<void> {
    const given = copiedItems(items, 'complete')
    const { store, record } = this.#tenancy
    const { tenure } = this.#leadership
    if (this.#work.isAtMissedTick) {
      throw new InvalidOptionError(
        'lease.complete() closes the tick of this leader, but the loop of lease.ticks() is at an earlier one. ' +
          'For that one call lease.advance(items), or let the loop go on.',
      )
    }
    const tick = { ...(record.tick === undefined ? {} : { tick: record.tick }), ...this.#work.closing() }
    const requestOf = (step: number) =>
      ({ ...tenure, kind: 'complete', step, nowMs: this.#leadership.endMs(), ...tick }) as const
    if (given.length === 0) {
      await this.#end((step) => async (signal) => {
        const request = requestOf(step)
        const reply = await store.write(request, signal)
        if (!reply.granted && isOwnCompletion(reply.record, request)) return
        if (!reply.granted && isClosedAlready(reply.record, request)) {
          // An operator closed a later tick: this one is done, and the lease is still held.
          const release = { ...tenure, kind: 'release', step, nowMs: request.nowMs, endedBy: 'released' } as const
          return this.#leadership.assertApplied(await store.write(release, signal), release)
        }
        this.#leadership.assertApplied(reply, request)
      })
      return
    }
    const token = crypto.randomUUID()
    const completeWith: MakeEnd = (step) => {
      const request = requestOf(step) // DynamoDB accepts a token again only for the same transaction, to the byte
      return async () => {
        const reply = await effectsOf(store, tenure.lease).completeWith(request, given, token)
        if (!reply.granted && isClosedAlready(reply.record, request)) {
          throw new LeaseStoreError(
            `An operator closed a later tick of lease "${tenure.lease}" than ${record.tick}, so these items were not ` +
              'written. Call lease.complete() without items if they are not needed.',
            { lease: tenure.lease, retryable: false },
          )
        }
        this.#leadership.assertApplied(reply, request)
      }
    }
    await this.#end(completeWith, { onlyOnce: true })
  }

  /**
   * After the task returned: completes the lease, or releases it if the loop of its ticks ended early, or sends the
   * task's own end again if that got no answer.
   */
  async endAfterTask(): Promise<void> {
    // The task may not have awaited its own end.
    if (!this.#turns.isFree) await this.#turns.take(async () => undefined)
    const { ended, ending, tenure } = this.#leadership
    if (ended === 'completed' || ended === 'released') return
    if (this.#notContinued !== undefined) throw this.#notContinued
    if (ended === 'continued') {
      if (this.#isContinued) return
      throw new HandOverError(
        `Lease "${tenure.lease}" was handed over and its state saved, but DynamoDB answered so late that the next ` +
          'invocation was not started. Let the event be retried: the retry continues from the saved state.',
        { lease: tenure.lease },
      )
    }
    if (ending === undefined) return this.#work.isLeftOpen ? await this.release() : await this.complete([])
    try {
      await this.#turns.take(() => this.#send(ending))
    } catch (cause) {
      if (cause instanceof LeaseError) throw cause
      throw new LeaseStoreError(
        `The task's own completion of lease "${tenure.lease}" got no answer, and DynamoDB refused its items ` +
          'when it was sent again. The tick is not recorded as done.',
        { lease: tenure.lease, retryable: false, cause },
      )
    }
  }

  /**
   * An end is sent even after the deadline, and its answer believed: the row knows better than our clock who leads. It
   * waits for the task's own writes, but not for a renewal, which may hang: if that arrives later, H1 refuses it, since
   * the lease is vacant, or H2 if it arrives under the same tenure.
   */
  async #end(make: MakeEnd, options: HowToEnd = {}): Promise<void> {
    const { how = 'completed', tries, onlyOnce = false, before, afterwards } = options
    await this.#turns.take(async () => {
      const { ended } = this.#leadership
      if (ended === how && !onlyOnce) return
      if (ended !== undefined) throw this.#leadership.lost(`was ${ENDED_TEXT[ended]} before`)
      if (before !== undefined) await before()
      await this.#writes.settled()
      this.#renewals.stop()
      const send = make(this.#writes.nextStep())
      await this.#writes.end(() => this.#send({ how, send, ...(afterwards && { afterwards }) }, tries))
    })
  }

  /**
   * Sends an end until the row grants or refuses it, the deadline has passed or the invocation is about to end: then
   * the work of the task is not lost, and its outcome is still reported.
   */
  async #send(ending: Ending, tries = Number.POSITIVE_INFINITY): Promise<void> {
    const { deadline, over } = this.#leadership
    const { remainingMs, answerMs } = this.#tenancy
    this.#leadership.beginEnd(ending)
    let mayArrive = false
    for (let tried = 1; ; tried++) {
      try {
        await this.#beforeInvocationEnds((signal) => ending.send(signal))
        break
      } catch (error) {
        const mayPass = error instanceof LeaseStoreError && error.retryable
        mayArrive ||= error instanceof LeaseStoreError && error.applied === 'unknown'
        if (!mayPass && !mayArrive) {
          this.#leadership.withdrawEnd()
          this.#renewals.goOn()
        }
        const leftMs = deadline.remainingMs()
        const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(50, leftMs / 4))
        const isOver = leftMs === 0 || remainingMs() - answerMs <= pauseMs || over.aborted
        if (!mayPass || tried >= tries || isOver) throw error
        await this.#leadership.pauseBeforeRetry(pauseMs)
      }
    }
    this.#leadership.finishEnd(ending.how)
    await ending.afterwards?.()
  }

  /** Stops waiting when half of the time for the invocation's own answer is left, or half of all that is left. */
  async #beforeInvocationEnds<T>(send: (signal?: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, remainingMs, answerMs } = this.#tenancy
    const { lease } = this.#leadership.tenure
    const leftMs = remainingMs()
    if (leftMs <= 0) return await send() // the invocation is past its end: Lambda decides
    const unanswered =
      `DynamoDB has not answered the end of lease "${lease}", and the invocation is about to end. ` +
      'Give the function more time if DynamoDB is this slow.'
    const keptMs = Math.min(answerMs, leftMs) / 2
    return await whileInvocationLasts({ clock, lease, remainingMs, unanswered }, keptMs, send)
  }
}

/** @throws InvalidOptionError unless `items` is a list */
export function copiedItems(
  items: readonly TransactItem[],
  call: 'advance' | 'complete' | 'transact',
): readonly TransactItem[] {
  if (Array.isArray(items)) return copied(items)
  throw new InvalidOptionError(
    `lease.${call} takes a list of items of a transaction, like [{ Put: { TableName, Item } }].`,
  )
}
