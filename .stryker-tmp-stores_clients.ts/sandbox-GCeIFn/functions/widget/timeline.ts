/**
 * Draws the timeline: lanes below each other, time to the right, a bar for each tenure. Pure: the same data give the
 * same SVG. It uses neither ids nor `<use>` nor scripts, so that a page can contain it several times.
 *
 * What lies outside the window costs one comparison; the width and the number of lanes bound what is drawn.
 */
// @ts-nocheck

import { html, type Markup } from './html.ts'
import { LIGHT, type Palette } from './palette.ts'
import { clockTime, dayOf, instant } from './time-words.ts'
import { round, type Scale, ticksOf, xOf } from './timeline/axis.ts'
import { type Lane, OUTCOMES, type Timeline, visibleBars, windowOf } from './timeline/input.ts'
import { describeCounts, placeBars, placeMarks } from './timeline/layout.ts'
import { BAR_HEIGHT, drawBar, drawLine, drawMark, fitted, SIGN_HEIGHT } from './timeline/shapes.ts'

export type { Bar, BarOutcome, Lane, Mark, Timeline } from './timeline/input.ts'

const DEFAULT_WIDTH = 800
const NARROWEST = 240
const WIDEST = 4000
/** In a narrower picture the names stand above the lanes and not beside them. */
const ROOM_FOR_NAMES = 560
/** Room for half a label at the right. At the left the names are aligned with the text above the picture. */
const EDGE = 10
const TOP = 20
const AXIS_HEIGHT = 34
const NAME_HEIGHT = 15
const NAME_LETTER_WIDTH = 6.6
const ROW_HEIGHT = SIGN_HEIGHT + BAR_HEIGHT + 2
const MARKS_HEIGHT = 14
const LANE_GAP = 7

type PlacedLane = ReturnType<typeof placeLanes>[number]

interface Frame {
  readonly scale: Scale
  readonly nowMs: number
  readonly namesBeside: boolean
  readonly palette: Palette
}

/** One `<svg>`, which shrinks if the page is narrower than its width. */
export function renderTimeline(timeline: Timeline, palette: Palette = LIGHT): Markup {
  const { lanes, nowMs } = timeline
  const width = Math.round(Math.min(WIDEST, Math.max(NARROWEST, timeline.width || DEFAULT_WIDTH)))
  const namesBeside = width >= ROOM_FOR_NAMES
  const longest = Math.max(0, ...lanes.map(({ name }) => name.length))
  const gutter = namesBeside ? Math.min(width / 4, longest * 7 + 14) : 0
  const scale = { ...windowOf(timeline), left: 2 + Math.round(gutter), right: width - EDGE }
  const frame: Frame = { scale, nowMs, namesBeside, palette }
  const placed = placeLanes(lanes, frame)
  const bottom = bottomOf(placed, timeline.spareRows ?? 0)
  const height = bottom + AXIS_HEIGHT
  const size = html`viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`
  const style = html`style="max-width:100%;height:auto;display:block" font-family="inherit" font-size="12"`
  const label = description(timeline, placed, scale)
  return html`<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${label}" ${size} ${style}>
${drawAxis(frame, bottom)}
${placed.map((lane) => drawLane(lane, frame))}
${drawNow(frame, bottom)}
</svg>`
}

function placeLanes(lanes: readonly Lane[], { scale, nowMs, namesBeside }: Frame) {
  let top = TOP
  return lanes.map((lane) => {
    const bars = placeBars(visibleBars(lane.bars, scale, nowMs), scale, nowMs)
    const marks = placeMarks(lane.marks ?? [], scale)
    const rows = 1 + Math.max(0, ...bars.map(({ row }) => row))
    const above = namesBeside ? 0 : NAME_HEIGHT
    const height = above + rows * ROW_HEIGHT + (lane.marks === undefined ? 0 : MARKS_HEIGHT) + LANE_GAP
    const placed = { lane, top, height, rows, bars, marks }
    top += height
    return placed
  })
}

function bottomOf(placed: readonly PlacedLane[], spareRows: number): number {
  const height = placed.reduce((total, lane) => total + lane.height, 0)
  const extraRows = placed.reduce((total, { rows }) => total + rows - 1, 0)
  return TOP + height + Math.max(0, spareRows - extraRows) * ROW_HEIGHT
}

function drawLane({ lane, top, height, bars, marks }: PlacedLane, frame: Frame): Markup {
  const { scale, namesBeside, palette } = frame
  const rowsTop = top + (namesBeside ? 0 : NAME_HEIGHT)
  const middle = rowsTop + SIGN_HEIGHT + BAR_HEIGHT / 2
  const [nameY, nameRoom] = namesBeside ? [middle + 4, scale.left - 10] : [top + 14, scale.right]
  const shortName = fitted(lane.name, nameRoom, NAME_LETTER_WIDTH)
  const name = html`<text x="0" y="${nameY}" fill="${palette.text}">${shortName}</text>`
  const inside =
    bars.length === 0 && marks.length === 0 && lane.empty !== undefined
      ? html`<text x="${scale.left}" y="${middle + 4}" font-style="italic" fill="${palette.muted}">${lane.empty}</text>`
      : drawLine(lane, bars, middle, scale, palette)
  const drawnBars = bars.map((bar) => drawBar(bar, rowsTop + SIGN_HEIGHT + bar.row * ROW_HEIGHT, palette))
  const marksY = top + height - LANE_GAP - MARKS_HEIGHT / 2 + 2
  const drawnMarks = marks.map((mark) => drawMark(mark, marksY, palette))
  return html`<g><g><title>${lane.name}</title>${name}</g>${inside}${drawnBars}${drawnMarks}</g>`
}

function drawAxis({ scale, palette }: Frame, bottom: number): Markup {
  const ticks = ticksOf(scale).map(({ atMs, label, day }) => {
    const x = xOf(scale, atMs)
    // At the edges, a label centred at its tick would be cut.
    const anchor = x < scale.left + 24 ? 'start' : x > scale.right - 24 ? 'end' : 'middle'
    const at = html`text-anchor="${anchor}" font-size="11" fill="${palette.muted}"`
    const textX = round(anchor === 'start' ? x - 2 : anchor === 'end' ? x + 2 : x)
    const text = (y: number, words: string) => html`<text x="${textX}" y="${y}" ${at}>${words}</text>`
    const dayText = day === undefined ? undefined : text(bottom + 30, day)
    const line = html`<path d="M${x} ${TOP - 4}V${bottom + 4}" stroke="${palette.line}"/>`
    return html`${line}${text(bottom + 17, label)}${dayText}`
  })
  return html`<g>${ticks}<path d="M${scale.left} ${bottom + 0.5}H${scale.right}" stroke="${palette.line}"/></g>`
}

function drawNow({ scale, nowMs, palette }: Frame, bottom: number): Markup | undefined {
  if (!(nowMs >= scale.fromMs && nowMs <= scale.toMs)) return undefined
  const x = xOf(scale, nowMs)
  const anchor = x > scale.right - 14 ? 'end' : x < scale.left + 14 ? 'start' : 'middle'
  const ink = palette.text
  const line = html`<path d="M${x} ${TOP - 5}V${bottom}" stroke="${ink}" stroke-width="1.2" stroke-dasharray="3 3"/>`
  const text = html`<text x="${x}" y="${TOP - 9}" text-anchor="${anchor}" font-size="11" fill="${ink}">now</text>`
  return html`<g><title>${`now, ${instant(nowMs, nowMs)} UTC`}</title>${line}${text}</g>`
}

/** The content in a sentence, for screen readers. Bars drawn as one count once. */
function description({ name = 'Timeline', lanes }: Timeline, placed: readonly PlacedLane[], scale: Scale): string {
  const bars = placed.flatMap((lane) => lane.bars)
  const counts = describeCounts(bars, OUTCOMES)
  const window = [scale.fromMs, scale.toMs].map((ms) => `${dayOf(ms, true)} ${clockTime(ms, 'seconds')}`).join(' to ')
  return `${name}: ${lanes.map((lane) => lane.name).join(', ')}; ${window} UTC; ${counts || 'no tenures'}`
}
