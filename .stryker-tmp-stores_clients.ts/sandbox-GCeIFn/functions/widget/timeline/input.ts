/** The data of a timeline. All times are epoch milliseconds. */
// @ts-nocheck

import { isInstant } from '../time-words.ts'

export const OUTCOMES = [
  'leading',
  'completed',
  'failed',
  'takenOver',
  'forced',
  'released',
  'continued',
  'unknown',
] as const
export type BarOutcome = (typeof OUTCOMES)[number]

export interface Bar {
  /** Becomes the attribute `data-bar`, for a page that handles clicks. */
  readonly id?: string
  readonly fromMs: number
  /** Absent while it lasts. */
  readonly toMs?: number | undefined
  /** Written on the bar if it fits. */
  readonly label: string
  readonly outcome: BarOutcome
  readonly title: string
  /** When its work passed from one invocation to the next. */
  readonly joints?: readonly { readonly atMs: number; readonly title: string }[]
}

export const MARK_KINDS = [
  'tick',
  'standby',
  'failure',
  'expiry',
  'accepted',
  'refused',
  'unguarded',
  'broken',
] as const
export type MarkKind = (typeof MARK_KINDS)[number]

/** An event at one instant, drawn under the bars. */
export interface Mark {
  readonly atMs: number
  readonly kind: MarkKind
  readonly title: string
}

export interface Lane {
  readonly name: string
  readonly bars: readonly Bar[]
  /** Keeps its space if it is empty, so that the first mark moves nothing. */
  readonly marks?: readonly Mark[]
  /** What happened before is not known: the line is dotted there. */
  readonly knownFromMs?: number | undefined
  /** The text in the place of bars, if there is none in the window. */
  readonly empty?: string
}

export interface Timeline {
  /** The name of the picture for screen readers. @default 'Timeline' */
  readonly name?: string
  readonly fromMs: number
  readonly toMs: number
  readonly nowMs: number
  readonly lanes: readonly Lane[]
  /** In pixels. @default 800 */
  readonly width?: number | undefined
  /** The height kept for bars that overlap, so that the first of them move nothing below the picture. @default 0 */
  readonly spareRows?: number
}

const SHORTEST_MS = 60_000

/** The window. If it is empty, reversed or no time at all, the minute up to its end, or up to now. */
export function windowOf({ fromMs, toMs, nowMs }: Timeline): { readonly fromMs: number; readonly toMs: number } {
  const endMs = [toMs, nowMs].find((ms) => isInstant(ms - SHORTEST_MS) && isInstant(ms)) ?? 0
  if (isInstant(fromMs) && fromMs < endMs) return { fromMs, toMs: endMs }
  return { fromMs: endMs - SHORTEST_MS, toMs: endMs }
}

/** The bars that reach into the window and begin at a time. One comparison for each. */
export function visibleBars(bars: readonly Bar[], window: { fromMs: number; toMs: number }, nowMs: number): Bar[] {
  return bars.filter((bar) => isInstant(bar.fromMs) && bar.fromMs <= window.toMs && endOf(bar, nowMs) >= window.fromMs)
}

/** A bar without an end lasts until now; no bar ends before it began. */
export function endOf({ fromMs, toMs = Number.POSITIVE_INFINITY }: Bar, nowMs: number): number {
  if (!isInstant(toMs)) return Math.max(fromMs, isInstant(nowMs) ? nowMs : fromMs)
  return Math.max(fromMs, toMs)
}
