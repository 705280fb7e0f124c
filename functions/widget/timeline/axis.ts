import { clockTime, dayOf } from '../time-words.ts'

/** The window that is drawn, and where it lies, in pixels. */
export interface Scale {
  readonly fromMs: number
  readonly toMs: number
  readonly left: number
  readonly right: number
}

/** Where an instant lies, at the edge for those outside of the window, and at the left one for what is none. */
export function xOf({ fromMs, toMs, left, right }: Scale, ms: number): number {
  if (Number.isNaN(ms)) return left
  const share = (Math.min(Math.max(ms, fromMs), toMs) - fromMs) / (toMs - fromMs)
  return round(left + share * (right - left))
}

/** To a tenth of a pixel: nobody sees less, and it would only lengthen the document. */
export const round = (pixels: number): number => Math.round(pixels * 10) / 10

export interface Tick {
  readonly atMs: number
  readonly label: string
  /** The day, under the first tick and at each midnight. */
  readonly day?: string
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const STEPS_MS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 28, 91, 364].map((n) => n * DAY),
]
/** The epoch was a Thursday; weeks are counted from Monday. */
const FIRST_MONDAY_MS = 4 * DAY
const TICK_WIDTH = 84

/** Round times, at least {@link TICK_WIDTH} pixels apart. At most as many as the width has room for. */
export function ticksOf(scale: Scale): readonly Tick[] {
  const { fromMs, toMs, left, right } = scale
  const room = Math.max(1, Math.floor((right - left) / TICK_WIDTH))
  const stepMs = stepFor((toMs - fromMs) / room)
  const offsetMs = stepMs >= 7 * DAY ? FIRST_MONDAY_MS : 0
  const firstMs = Math.ceil((fromMs - offsetMs) / stepMs) * stepMs + offsetMs
  const instants = Array.from({ length: room + 1 }, (_, index) => firstMs + index * stepMs)
  return instants.filter((atMs) => atMs <= toMs).map((atMs, index) => tickAt(atMs, stepMs, index === 0))
}

function stepFor(leastMs: number): number {
  const step = STEPS_MS.find((ms) => ms >= leastMs)
  return step ?? Math.ceil(leastMs / (364 * DAY)) * 364 * DAY
}

function tickAt(atMs: number, stepMs: number, isFirst: boolean): Tick {
  if (stepMs >= DAY) return { atMs, label: dayOf(atMs, stepMs >= 91 * DAY), ...(isFirst ? { day: 'UTC' } : {}) }
  const precision = stepMs < SECOND ? 'milliseconds' : stepMs < MINUTE ? 'seconds' : 'minutes'
  const label = clockTime(atMs, precision)
  if (isFirst) return { atMs, label, day: `${dayOf(atMs)} UTC` }
  return { atMs, label, ...(atMs % DAY === 0 ? { day: dayOf(atMs) } : {}) }
}
