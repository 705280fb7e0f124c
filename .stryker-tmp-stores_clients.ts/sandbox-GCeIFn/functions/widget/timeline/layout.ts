/** Places bars: in one row if none overlaps another, else in up to three rows, else crowded bars are drawn as one. */
// @ts-nocheck

import { round, type Scale, xOf } from './axis.ts'
import { type Bar, type BarOutcome, endOf, type Mark } from './input.ts'

export interface PlacedBar extends Pick<Bar, 'outcome' | 'label' | 'title'> {
  /** Absent if several bars are drawn as one. */
  readonly id?: string | undefined
  readonly x: number
  readonly width: number
  readonly row: number
  /** Whether it lasts and reaches to now. */
  readonly isOpen: boolean
  readonly joints?: readonly { readonly x: number; readonly title: string }[]
  /** The free pixels behind it in its row; absent if several bars are drawn as one. */
  readonly room?: number
}

/** A second would not be visible in a day of 800 pixels. */
export const LEAST_WIDTH = 5
const LEAST_GAP = 2
const MOST_ROWS = 3
/** The bars or marks within so many pixels are drawn as one. */
const CELL_WIDTH = 8

/** By how urgently an operator must see them: several bars drawn as one show the most urgent outcome. */
const URGENCY: readonly BarOutcome[] = [
  'failed',
  'forced',
  'takenOver',
  'unknown',
  'released',
  'leading',
  'continued',
  'completed',
]

/** @param bars visible ones, see `visibleBars` */
export function placeBars(bars: readonly Bar[], scale: Scale, nowMs: number): readonly PlacedBar[] {
  const placed = bars.toSorted((a, b) => a.fromMs - b.fromMs).map((bar) => placedBar(bar, scale, nowMs))
  return inRows(placed, scale) ?? mergeCrowded(placed)
}

function placedBar(bar: Bar, scale: Scale, nowMs: number): PlacedBar {
  const { id, outcome, label, title } = bar
  const begin = xOf(scale, bar.fromMs)
  const endMs = endOf(bar, nowMs)
  const width = Math.max(LEAST_WIDTH, xOf(scale, endMs) - begin)
  const x = round(Math.min(begin, scale.right - width))
  const joints = (bar.joints ?? [])
    .filter(({ atMs }) => atMs >= scale.fromMs && atMs <= scale.toMs)
    .map(({ atMs, title }) => ({ x: xOf(scale, atMs), title }))
  return { id, x, width, row: 0, outcome, label, title, joints, isOpen: bar.toMs === undefined && endMs <= scale.toMs }
}

function inRows(placed: readonly PlacedBar[], { right }: Scale): readonly PlacedBar[] | undefined {
  const rows: PlacedBar[][] = []
  for (const bar of placed) {
    const free = rows.findIndex((row) => hasRoomFor(row.at(-1), bar))
    const row = free === -1 ? rows.length : free
    if (row === MOST_ROWS) return undefined
    const others = rows[row] ?? []
    const last = others.pop()
    if (last !== undefined) others.push(endedBefore(last, bar))
    others.push({ ...bar, row, room: right - endOfBar(bar) })
    rows[row] = others
  }
  return rows.flat()
}

const endOfBar = ({ x, width }: PlacedBar) => x + width

/** A bar can begin where a wide one ends: the wide one is shortened by the gap. */
function hasRoomFor(last: PlacedBar | undefined, { x }: PlacedBar): boolean {
  if (last === undefined || endOfBar(last) + LEAST_GAP <= x) return true
  return endOfBar(last) <= x && last.width >= LEAST_WIDTH + LEAST_GAP
}

function endedBefore(last: PlacedBar, { x }: PlacedBar): PlacedBar {
  return { ...last, width: Math.min(last.width, round(x - LEAST_GAP - last.x)), room: round(x - endOfBar(last)) }
}

/** Bars that begin within the same cell become one, so that the width bounds how many are drawn. */
function mergeCrowded(placed: readonly PlacedBar[]): readonly PlacedBar[] {
  const cells = Map.groupBy(placed, ({ x }) => Math.floor(x / CELL_WIDTH))
  return [...cells.values()].flatMap((crowd) => {
    const [first] = crowd
    if (first === undefined || crowd.length === 1) return crowd
    const end = crowd.reduce((latest, bar) => Math.max(latest, endOfBar(bar)), 0)
    const label = `${crowd.length} tenures`
    return {
      x: first.x,
      width: Math.max(LEAST_WIDTH, end - first.x),
      row: 0,
      outcome: URGENCY.find((outcome) => crowd.some((bar) => bar.outcome === outcome)) ?? 'unknown',
      label,
      title: `${label}: ${describeCounts(crowd, URGENCY)}`,
      isOpen: crowd.some(({ isOpen }) => isOpen),
    }
  })
}

/** Such as `1 failed, 2 completed`. */
export function describeCounts(bars: readonly PlacedBar[], order: readonly BarOutcome[]): string {
  const groups = Map.groupBy(bars, ({ outcome }) => outcome)
  const present = order.filter((outcome) => groups.has(outcome))
  return present.map((outcome) => `${groups.get(outcome)?.length} ${OUTCOME_NAMES[outcome]}`).join(', ')
}

export interface PlacedMark extends Pick<Mark, 'kind' | 'title'> {
  readonly x: number
}

/** The marks in the window. Of several marks of one kind in one cell, the last is drawn, with their number. */
export function placeMarks(marks: readonly Mark[], scale: Scale): readonly PlacedMark[] {
  const visible = marks.filter(({ atMs }) => atMs >= scale.fromMs && atMs <= scale.toMs)
  const placed = visible.map(({ atMs, kind, title }) => ({ x: xOf(scale, atMs), kind, title }))
  const cells = Map.groupBy(placed, ({ x, kind }) => `${kind} ${Math.floor(x / CELL_WIDTH)}`)
  return [...cells.values()].flatMap((crowd) => {
    const last = crowd.at(-1)
    if (last === undefined || crowd.length === 1) return crowd
    return { ...last, title: `${last.title}\nand ${crowd.length - 1} more of this kind` }
  })
}

export const OUTCOME_NAMES: Readonly<Record<BarOutcome, string>> = {
  leading: 'leading',
  completed: 'completed',
  failed: 'failed',
  takenOver: 'taken over',
  forced: 'forced out',
  released: 'released',
  continued: 'handed over',
  unknown: 'end not known',
}
