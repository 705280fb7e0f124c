import { InvalidOptionError, LeaseError, LeaseStoreError } from './errors.ts'
import { whileInvocationLasts } from './invocation.ts'
import type { Ended, Ending, Leadership, Tenancy } from './leadership.ts'
import type { Renewals } from './renewals.ts'
import type { RowWrites } from './row-writes.ts'
import { isOwnCompletion } from './rules.ts'
import { effectsOf, type TransactItem } from './stores/store.ts'
import type { TickWork } from './tick-work.ts'
import { Turns } from './turns.ts'
import { copied } from './values.ts'

/** Between two tries of an end, in milliseconds. */
const LONGEST_PAUSE_MS = 1_000

/** A release after a failed task is only a courtesy: the lease expires by itself, and the task's error must get out. */
const RELEASE_TRIES = 3

/** Makes one end from the step that it is written under. */
type MakeEnd = (step: number) => Ending['send']

/** The ends of a lease, completion and release: each is applied once, and sent until the row answers. */
export class Ends {
  readonly #tenancy: Tenancy
  readonly #leadership: Leadership
  readonly #writes: RowWrites
  readonly #renewals: Renewals
  readonly #work: TickWork
  /** Of two ends, the second waits for the outcome of the first. */
  readonly #turns = new Turns(1)

  constructor(tenancy: Tenancy, leadership: Leadership, writes: RowWrites, renewals: Renewals, work: TickWork) {
    this.#tenancy = tenancy
    this.#leadership = leadership
    this.#writes = writes
    this.#renewals = renewals
    this.#work = work
  }

  async release(): Promise<void> {
    await this.#release({ endedBy: 'released' })
  }

  /** The release of a task that threw. */
  async fail(errorName: string): Promise<void> {
    await this.#release({ endedBy: 'failed', errorName }, RELEASE_TRIES)
  }

  async #release(
    how: { readonly endedBy: 'released' | 'failed'; readonly errorName?: string },
    tries = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const { store } = this.#tenancy
    const release: MakeEnd = (step) => async (signal) => {
      const nowMs = this.#leadership.endMs()
      const request = { ...this.#leadership.tenure, kind: 'release', step, nowMs, ...how } as const
      this.#leadership.assertApplied(await store.write(request, signal), request)
    }
    await this.#end('released', release, { tries })
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
      await this.#end('completed', (step) => async (signal) => {
        const request = requestOf(step)
        const reply = await store.write(request, signal)
        if (!reply.granted && isOwnCompletion(reply.record, request)) return
        this.#leadership.assertApplied(reply, request)
      })
      return
    }
    const token = crypto.randomUUID()
    const completeWith: MakeEnd = (step) => {
      const request = requestOf(step) // DynamoDB accepts a token again only for the same transaction, to the byte
      return async () =>
        this.#leadership.assertApplied(
          await effectsOf(store, tenure.lease).completeWith(request, given, token),
          request,
        )
    }
    await this.#end('completed', completeWith, { onlyOnce: true })
  }

  /**
   * After the task returned: completes the lease, or releases it if the loop of its ticks ended early, or sends the
   * task's own end again if that got no answer.
   */
  async endAfterTask(): Promise<void> {
    await this.#turns.take(async () => undefined) // the task may not have awaited its own end
    const { ended, ending, tenure } = this.#leadership
    if (ended === 'completed' || ended === 'released') return
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
  async #end(how: Ended, make: MakeEnd, { tries = Number.POSITIVE_INFINITY, onlyOnce = false } = {}): Promise<void> {
    await this.#turns.take(async () => {
      const { ended } = this.#leadership
      if (ended === how && !onlyOnce) return
      if (ended !== undefined) throw this.#leadership.lost(`was ${ended} before`)
      await this.#writes.settled()
      this.#renewals.stop(this.#leadership.lost('was asked to end'))
      await this.#writes.end(() => this.#send({ how, send: make(this.#writes.nextStep()) }, tries))
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
  }

  /** Stops waiting when half of the time for the invocation's own answer is left, or half of all that is left. */
  async #beforeInvocationEnds<T>(send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, remainingMs, answerMs } = this.#tenancy
    const { lease } = this.#leadership.tenure
    const leftMs = remainingMs()
    if (leftMs <= 0) return await send(new AbortController().signal) // the invocation is past its end: Lambda decides
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
