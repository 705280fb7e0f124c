// @ts-nocheck
import { clockTime, DAY_MS, dayOf, HOUR_MS, MINUTE_MS, SECOND_MS } from '../time-words.ts'

/** The window that is drawn, and its edges in pixels. */
export interface Scale {
  readonly fromMs: number
  readonly toMs: number
  readonly left: number
  readonly right: number
}

/** The place of an instant: at the edge if it is outside the window, and at the left edge if it is no time. */
export function xOf({ fromMs, toMs, left, right }: Scale, ms: number): number {
  if (Number.isNaN(ms)) return left
  const share = (Math.min(Math.max(ms, fromMs), toMs) - fromMs) / (toMs - fromMs)
  return round(left + share * (right - left))
}

/** To a tenth of a pixel: more digits would only make the document longer. */
export const round = (pixels: number): number => Math.round(pixels * 10) / 10

const STEPS_MS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR_MS),
  ...[1, 2, 7, 14, 28, 91, 364].map((n) => n * DAY_MS),
]
/** The epoch was a Thursday, and weeks begin on Monday. */
const FIRST_MONDAY_MS = 4 * DAY_MS
const TICK_WIDTH = 84

/** Round times, at least {@link TICK_WIDTH} pixels apart, with the day under the first one and at each midnight. */
export function ticksOf(scale: Scale) {
  const { fromMs, toMs, left, right } = scale
  const room = Math.max(1, Math.floor((right - left) / TICK_WIDTH))
  const stepMs = stepFor((toMs - fromMs) / room)
  const offsetMs = stepMs >= 7 * DAY_MS ? FIRST_MONDAY_MS : 0
  const firstMs = Math.ceil((fromMs - offsetMs) / stepMs) * stepMs + offsetMs
  const instants = Array.from({ length: room + 1 }, (_, index) => firstMs + index * stepMs)
  return instants.filter((atMs) => atMs <= toMs).map((atMs, index) => tickAt(atMs, stepMs, index === 0))
}

function stepFor(leastMs: number): number {
  return STEPS_MS.find((ms) => ms >= leastMs) ?? Math.ceil(leastMs / (364 * DAY_MS)) * 364 * DAY_MS
}

function tickAt(atMs: number, stepMs: number, isFirst: boolean) {
  if (stepMs >= DAY_MS) return { atMs, label: dayOf(atMs, stepMs >= 91 * DAY_MS), day: isFirst ? 'UTC' : undefined }
  const label = clockTime(atMs, stepMs < SECOND_MS ? 'milliseconds' : stepMs < MINUTE_MS ? 'seconds' : 'minutes')
  const midnight = atMs % DAY_MS === 0 ? dayOf(atMs) : undefined
  return { atMs, label, day: isFirst ? `${dayOf(atMs)} UTC` : midnight }
}
