/** Where bars lie: in one row as long as none touches another, in up to three else, and drawn together beyond that. */
import { round, type Scale, xOf } from './axis.ts'
import { type Bar, type BarOutcome, endOf, type Mark, type MarkKind } from './input.ts'

export interface Placed {
  /** Absent where several bars are drawn together. */
  readonly id?: string | undefined
  readonly x: number
  readonly width: number
  readonly row: number
  readonly outcome: BarOutcome
  readonly label: string
  readonly title: string
  /** Whether it still lasts and reaches to now. */
  readonly isOpen: boolean
  /** How much room there is behind it in its row; absent where several bars are drawn together. */
  readonly room?: number
}

/** A second of a day of 800 pixels is nothing: a bar is still as wide as this. */
export const LEAST_WIDTH = 5
const LEAST_GAP = 2
const MOST_ROWS = 3
/** So wide is the place that crowded bars share. */
const CELL_WIDTH = 8

/** What an operator must see first: a crowd of bars is drawn as the gravest of them. */
const GRAVITY: readonly BarOutcome[] = ['failed', 'forced', 'takenOver', 'unknown', 'released', 'leading', 'completed']

/** @param bars visible ones, see `visibleBars` */
export function place(bars: readonly Bar[], scale: Scale, nowMs: number): readonly Placed[] {
  const placed = bars.toSorted((a, b) => a.fromMs - b.fromMs).map((bar) => placedBar(bar, scale, nowMs))
  return inRows(placed, scale) ?? together(placed)
}

function placedBar(bar: Bar, scale: Scale, nowMs: number): Placed {
  const begin = xOf(scale, bar.fromMs)
  const width = Math.max(LEAST_WIDTH, xOf(scale, endOf(bar, nowMs)) - begin)
  const x = round(Math.min(begin, scale.right - width))
  const { id, outcome, label, title } = bar
  return {
    id,
    x,
    width,
    row: 0,
    outcome,
    label,
    title,
    isOpen: bar.toMs === undefined && endOf(bar, nowMs) <= scale.toMs,
  }
}

function inRows(placed: readonly Placed[], { right }: Scale): readonly Placed[] | undefined {
  const rows: Placed[][] = []
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

const endOfBar = ({ x, width }: Placed) => x + width

/** One that begins where another ends stands behind it: that one can spare the gap. */
function hasRoomFor(last: Placed | undefined, { x }: Placed): boolean {
  if (last === undefined || endOfBar(last) + LEAST_GAP <= x) return true
  return endOfBar(last) <= x && last.width >= LEAST_WIDTH + LEAST_GAP
}

function endedBefore(last: Placed, { x }: Placed): Placed {
  return { ...last, width: Math.min(last.width, round(x - LEAST_GAP - last.x)), room: round(x - endOfBar(last)) }
}

/** Those that begin within the same few pixels become one; however many there are, the width bounds what is drawn. */
function together(placed: readonly Placed[]): readonly Placed[] {
  const cells = Map.groupBy(placed, ({ x }) => Math.floor(x / CELL_WIDTH))
  return [...cells.values()].flatMap((crowd) => {
    const [first] = crowd
    if (first === undefined || crowd.length === 1) return crowd
    const end = crowd.reduce((latest, { x, width }) => Math.max(latest, x + width), 0)
    const counts = GRAVITY.map((outcome) => [outcome, crowd.filter((bar) => bar.outcome === outcome).length] as const)
    const present = counts.filter(([, count]) => count > 0)
    return {
      x: first.x,
      width: Math.max(LEAST_WIDTH, end - first.x),
      row: 0,
      outcome: present[0]?.[0] ?? 'unknown',
      label: `${crowd.length} tenures`,
      title: `${crowd.length} tenures: ${present.map(([outcome, count]) => `${count} ${OUTCOME_WORDS[outcome]}`).join(', ')}`,
      isOpen: crowd.some(({ isOpen }) => isOpen),
    }
  })
}

export interface PlacedMark {
  readonly x: number
  readonly kind: MarkKind
  readonly title: string
}

/** The marks in the window; of one kind in one place the last is drawn, and says how many there are. */
export function placeMarks(marks: readonly Mark[], scale: Scale): readonly PlacedMark[] {
  const visible = marks.filter(({ atMs }) => atMs >= scale.fromMs && atMs <= scale.toMs)
  const placed = visible.map(({ atMs, kind, title }) => ({ x: xOf(scale, atMs), kind, title }))
  const places = Map.groupBy(placed, ({ x, kind }) => `${kind} ${Math.floor(x / CELL_WIDTH)}`)
  return [...places.values()].flatMap((crowd) => {
    const last = crowd.at(-1)
    if (last === undefined || crowd.length === 1) return crowd
    return { ...last, title: `${last.title}\nand ${crowd.length - 1} more of the kind` }
  })
}

export const MARK_WORDS: Readonly<Record<MarkKind, string>> = {
  tick: 'tick',
  standby: 'stood by',
  failure: 'failed without leading',
  expiry: 'lease runs out',
  accepted: 'effect accepted',
  refused: 'effect refused',
  broken: 'broken on purpose',
}

export const OUTCOME_WORDS: Readonly<Record<BarOutcome, string>> = {
  leading: 'leading',
  completed: 'completed',
  failed: 'failed',
  takenOver: 'taken over',
  forced: 'forced out',
  released: 'released',
  unknown: 'end not known',
}
