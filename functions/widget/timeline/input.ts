/** What a time line shows: plain data, from whatever source. All times are epoch milliseconds. */
import { isInstant } from '../time-words.ts'

export const OUTCOMES = ['leading', 'completed', 'failed', 'takenOver', 'forced', 'released', 'unknown'] as const
export type BarOutcome = (typeof OUTCOMES)[number]

export interface Bar {
  /** Becomes the `data-bar` of what is drawn, for a page that answers to a click on it. */
  readonly id?: string
  readonly fromMs: number
  /** Absent where it still lasts. */
  readonly toMs?: number | undefined
  /** Written on the bar where it is long enough. */
  readonly label: string
  readonly outcome: BarOutcome
  /** All that is worth saying, on hovering. */
  readonly title: string
}

export const MARK_KINDS = ['tick', 'standby', 'failure', 'expiry', 'accepted', 'refused', 'broken'] as const
export type MarkKind = (typeof MARK_KINDS)[number]

/** Something that happened at one instant, drawn under the bars. */
export interface Mark {
  readonly atMs: number
  readonly kind: MarkKind
  readonly title: string
}

export interface Lane {
  readonly name: string
  readonly bars: readonly Bar[]
  readonly marks?: readonly Mark[]
  /** Nothing is known of this lane before: its line is dotted there. */
  readonly knownFromMs?: number | undefined
  /** Said in the place of bars, where none lies in the window. */
  readonly empty?: string
}

export interface Timeline {
  /** What the picture is of, for readers that cannot see it. @default 'Time line' */
  readonly name?: string
  readonly fromMs: number
  readonly toMs: number
  readonly nowMs: number
  readonly lanes: readonly Lane[]
  /** In pixels. @default 800 */
  readonly width?: number | undefined
}

const SHORTEST_MS = 60_000

/** The window: one that is empty, turned or no time at all becomes the minute up to its end, or up to now. */
export function windowOf({ fromMs, toMs, nowMs }: Timeline): { readonly fromMs: number; readonly toMs: number } {
  const endMs = [toMs, nowMs].find((ms) => isInstant(ms - SHORTEST_MS) && isInstant(ms)) ?? 0
  if (isInstant(fromMs) && fromMs < endMs) return { fromMs, toMs: endMs }
  return { fromMs: endMs - SHORTEST_MS, toMs: endMs }
}

/** The bars that reach into the window, clear of what is no time. One look at each. */
export function visibleBars(bars: readonly Bar[], window: { fromMs: number; toMs: number }, nowMs: number): Bar[] {
  return bars.filter((bar) => isInstant(bar.fromMs) && bar.fromMs <= window.toMs && endOf(bar, nowMs) >= window.fromMs)
}

/** What still lasts, lasts until now; nothing ends before it began. */
export function endOf({ fromMs, toMs = Number.POSITIVE_INFINITY }: Bar, nowMs: number): number {
  if (!isInstant(toMs)) return Math.max(fromMs, isInstant(nowMs) ? nowMs : fromMs)
  return Math.max(fromMs, toMs)
}
