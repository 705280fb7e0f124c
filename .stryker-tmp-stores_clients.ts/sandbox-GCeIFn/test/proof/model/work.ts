/**
 * The ticks that a leader works on: it closes those that were missed, saves checkpoints, hands over. It mirrors
 * functions/election/lease-handle.ts; which tick is next, and what becomes of a checkpoint, the shipped TickWork and
 * `missedTicks` decide.
 */
// @ts-nocheck

import { missedTicks } from '../../../functions/election/missed.ts'
import type { Advance } from '../../../functions/election/renewals.ts'
import type { Checkpoint, HolderWrite, LeaseRecord } from '../../../functions/election/rules.ts'
import { rateSchedule } from '../../../functions/election/schedule.ts'
import { TickWork } from '../../../functions/election/tick-work.ts'
import type { Work } from './state.ts'
import { START_MS, tickMs, tickNumber, type World } from './world.ts'

const SCHEDULE = await rateSchedule(1_000).load()

export type Extension =
  | { readonly kind: 'renew' }
  | { readonly kind: 'saveCheckpoint'; checkpoint: Checkpoint }
  | { readonly kind: 'proclaim'; readonly announcement: unknown }
  | Advance

/** The ticks before `tick` that are missed for the candidate that acquires this row. */
export function missedIn(row: Work['inherited'], tick: string): readonly string[] {
  const { firstTick, completedTick, pausedFromMs, pausedUntilMs } = row
  const key = `${firstTick} ${completedTick} ${pausedFromMs} ${pausedUntilMs} ${tick}`
  const ticks = missed.get(key) ?? missedTicks(row, tick, SCHEDULE, 9)
  missed.set(key, ticks)
  return ticks
}

const missed = new Map<string, readonly string[]>()

/** An operator said that the tick is not to be worked. */
export function isPaused({ pausedFromMs, pausedUntilMs = 0 }: Partial<LeaseRecord> = {}, tick: number): boolean {
  return pausedFromMs !== undefined && pausedFromMs <= tickMs(tick) && tickMs(tick) < pausedUntilMs
}

/** As the ledger keeps ticks. */
export function bitsOf(ticks: readonly string[]): number {
  return ticks.reduce((bits, tick) => bits | (1 << tickNumber(tick)), 0)
}

export function workOf(world: World, record: LeaseRecord): Work | undefined {
  const { catchesUp, checkpoints } = world
  const { tick: own = '', firstTick, completedTick, pausedFromMs, pausedUntilMs, checkpoint: saved } = record
  if (catchesUp === 'no' && world.candidates.every(({ continues }) => continues === undefined)) return undefined
  const inherited = {
    ...(firstTick === undefined ? {} : { firstTick }),
    ...(completedTick === undefined ? {} : { completedTick }),
    ...(pausedFromMs === undefined ? {} : { pausedFromMs }),
    ...(pausedUntilMs === undefined ? {} : { pausedUntilMs }),
  }
  const tick = (catchesUp === 'no' ? undefined : missedIn(record, own)[0]) ?? own
  return { tick, inherited, saved, checkpoints }
}

/** What the shipped TickWork says of a leader at this tick, whose state names the tick. */
function ask(own: string, { tick, saved }: Work) {
  const atTick = () => {
    const work = new TickWork(own, saved)
    // The loop runs up to its first tick at once.
    void work.loop(1, () => (tick === own ? undefined : tick), noAdvance).next()
    return work
  }
  const [work, givenUp] = [atTick(), atTick()]
  givenUp.giveUp('as drawn')
  const { isAtMissedTick, checkpoint: offered } = work
  const saves = { checkpoint: work.checkpointOf(tick), handedOver: work.handedOver(tick, START_MS) }
  const closes = { closing: work.closing(), givingUp: givenUp.closing() }
  work.closed()
  return { isAtMissedTick, offered, ...saves, ...closes, keepsSaved: work.closing().keepsCheckpoint === true }
}

const noAdvance = () => Promise.reject(new Error('The model sends each advance itself.'))
const asked = new Map<string, ReturnType<typeof ask>>()

/** A search asks the same a million times. */
export function tickWorkOf(own: string, work: Work): ReturnType<typeof ask> {
  const key = `${own} ${work.tick} ${JSON.stringify(work.saved)}`
  const answer = asked.get(key) ?? ask(own, work)
  asked.set(key, answer)
  return answer
}

/** The writes by which a leader may go on, beside renewals. */
export function extensionsOf(world: World, own: string, work: Work): readonly Extension[] {
  const { isAtMissedTick, checkpoint, closing, givingUp } = tickWorkOf(own, work)
  const save: readonly Extension[] = work.checkpoints > 0 ? [{ kind: 'saveCheckpoint', checkpoint }] : []
  if (!isAtMissedTick) return save
  const advance = { kind: 'advance', tick: work.tick } as const
  if (world.catchesUp === 'with items') return [...save, { ...advance, ...closing, closesOnce: true }]
  return [...save, { ...advance, ...closing }, { ...advance, ...givingUp }]
}

/** lease-handle.ts and renewals.ts: after a write that was applied, or an advance of a tick that was closed already. */
export function workAfter(own: string, work: Work, request: HolderWrite, record: LeaseRecord): Work {
  if (request.kind === 'saveCheckpoint') return { ...work, saved: request.checkpoint }
  if (request.kind !== 'advance') return work
  const { completedTick = request.tick } = record
  const { inherited, checkpoints } = work
  const saved = tickWorkOf(own, work).keepsSaved ? work.saved : undefined
  return { tick: missedIn({ ...inherited, completedTick }, own)[0] ?? own, inherited, saved, checkpoints }
}
