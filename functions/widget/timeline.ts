/**
 * The time line: one lane under the other, time to the right, a bar for each tenure. Pure: the same data, the same SVG.
 * It uses neither ids nor `<use>` nor scripts, so that it can stand in any page, and several times in one.
 *
 * What lies outside of the window costs one comparison; what is drawn is bounded by the width and the number of lanes.
 */
import { html, type Markup } from './html.ts'
import { LIGHT, type Palette } from './palette.ts'
import { clockTime, dayOf, instant } from './time-words.ts'
import { round, type Scale, ticksOf, xOf } from './timeline/axis.ts'
import { type Lane, OUTCOMES, type Timeline, visibleBars, windowOf } from './timeline/input.ts'
import { OUTCOME_WORDS, type Placed, type PlacedMark, place, placeMarks } from './timeline/layout.ts'
import { BAR_HEIGHT, drawBar, drawMark, fitted, SIGN_HEIGHT } from './timeline/shapes.ts'
import { drawString } from './timeline/string.ts'

export type { Bar, BarOutcome, Lane, Mark, MarkKind, Timeline } from './timeline/input.ts'

const DEFAULT_WIDTH = 800
const NARROWEST = 240
const WIDEST = 4000
/** Below this the lanes' names stand over the lanes and not beside them. */
const ROOM_FOR_NAMES = 560
/** Room for half a label at the right; at the left the names stand in line with what is above the picture. */
const EDGE = 10
const TOP = 20
const AXIS_HEIGHT = 34
const NAME_HEIGHT = 15
const ROW_HEIGHT = SIGN_HEIGHT + BAR_HEIGHT + 2
const MARKS_HEIGHT = 14
const LANE_GAP = 7

interface PlacedLane {
  readonly lane: Lane
  readonly top: number
  readonly height: number
  readonly bars: readonly Placed[]
  readonly marks: readonly PlacedMark[]
}

interface Frame {
  readonly scale: Scale
  readonly nowMs: number
  readonly width: number
  readonly namesBeside: boolean
  readonly palette: Palette
}

/** One `<svg>`, as wide as told, or as its place where that is narrower. */
export function renderTimeline(timeline: Timeline, palette: Palette = LIGHT): Markup {
  const { lanes, nowMs } = timeline
  const width = Math.round(Math.min(WIDEST, Math.max(NARROWEST, timeline.width || DEFAULT_WIDTH)))
  const namesBeside = width >= ROOM_FOR_NAMES
  const longest = lanes.reduce((length, { name }) => Math.max(length, name.length), 0)
  const gutter = namesBeside ? Math.min(width / 4, longest * 7 + 14) : 0
  const scale = { ...windowOf(timeline), left: 2 + Math.round(gutter), right: width - EDGE }
  const frame: Frame = { scale, nowMs, width, namesBeside, palette }
  const placed = placeLanes(lanes, frame)
  const last = placed.at(-1)
  const bottom = last === undefined ? TOP : last.top + last.height
  const height = bottom + AXIS_HEIGHT
  return html`<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${description(timeline, placed, scale)}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" style="max-width:100%;height:auto;display:block" font-family="inherit" font-size="12">
${drawAxis(frame, bottom)}
${placed.map((lane) => drawLane(lane, frame))}
${drawNow(frame, bottom)}
</svg>`
}

function placeLanes(lanes: readonly Lane[], { scale, nowMs, namesBeside }: Frame): readonly PlacedLane[] {
  let top = TOP
  return lanes.map((lane) => {
    const bars = place(visibleBars(lane.bars, scale, nowMs), scale, nowMs)
    const marks = placeMarks(lane.marks ?? [], scale)
    const rows = 1 + bars.reduce((last, { row }) => Math.max(last, row), 0)
    const height =
      (namesBeside ? 0 : NAME_HEIGHT) + rows * ROW_HEIGHT + (marks.length > 0 ? MARKS_HEIGHT : 0) + LANE_GAP
    const placed = { lane, top, height, bars, marks }
    top += height
    return placed
  })
}

function drawLane(
  { lane, top, height, bars, marks }: PlacedLane,
  { scale, namesBeside, palette, width }: Frame,
): Markup {
  const rowsTop = top + (namesBeside ? 0 : NAME_HEIGHT)
  const middle = rowsTop + SIGN_HEIGHT + BAR_HEIGHT / 2
  const name = namesBeside
    ? html`<text x="0" y="${middle + 4}" fill="${palette.text}">${fitted(lane.name, scale.left - 10, 6.6)}</text>`
    : html`<text x="0" y="${top + 14}" fill="${palette.text}">${fitted(lane.name, width - EDGE, 6.6)}</text>`
  const says = bars.length === 0 && marks.length === 0 ? lane.empty : undefined
  const inside =
    says === undefined
      ? drawString(lane, bars, middle, scale, palette)
      : html`<text x="${scale.left}" y="${middle + 4}" font-style="italic" fill="${palette.muted}">${says}</text>`
  const marksAt = top + height - LANE_GAP - MARKS_HEIGHT / 2 + 2
  return html`<g><g><title>${lane.name}</title>${name}</g>${inside}${bars.map((bar) =>
    drawBar(bar, rowsTop + SIGN_HEIGHT + bar.row * ROW_HEIGHT, palette),
  )}${marks.map((mark) => drawMark(mark, marksAt, palette))}</g>`
}

function drawAxis({ scale, palette }: Frame, bottom: number): Markup {
  const ticks = ticksOf(scale).map(({ atMs, label, day }) => {
    const x = xOf(scale, atMs)
    // A label in the middle of its tick would be cut at the edges.
    const anchor = x < scale.left + 24 ? 'start' : x > scale.right - 24 ? 'end' : 'middle'
    const at = anchor === 'start' ? x - 2 : anchor === 'end' ? x + 2 : x
    const text = (y: number, words: string) =>
      html`<text x="${round(at)}" y="${y}" text-anchor="${anchor}" font-size="11" fill="${palette.muted}">${words}</text>`
    return html`<path d="M${x} ${TOP - 4}V${bottom + 4}" stroke="${palette.line}"/>${text(bottom + 17, label)}${
      day === undefined ? undefined : text(bottom + 30, day)
    }`
  })
  return html`<g>${ticks}<path d="M${scale.left} ${bottom + 0.5}H${scale.right}" stroke="${palette.line}"/></g>`
}

function drawNow({ scale, nowMs, palette }: Frame, bottom: number): Markup | undefined {
  if (!(nowMs >= scale.fromMs && nowMs <= scale.toMs)) return undefined
  const x = xOf(scale, nowMs)
  const anchor = x > scale.right - 14 ? 'end' : x < scale.left + 14 ? 'start' : 'middle'
  return html`<g><title>${`now, ${instant(nowMs, nowMs)} UTC`}</title><path d="M${x} ${TOP - 5}V${bottom}" stroke="${palette.text}" stroke-width="1.2" stroke-dasharray="3 3"/><text x="${x}" y="${TOP - 9}" text-anchor="${anchor}" font-size="11" fill="${palette.text}">now</text></g>`
}

/** What there is to see, in a sentence: bars that stand together count as what they are drawn as. */
function description({ name = 'Time line', lanes }: Timeline, placed: readonly PlacedLane[], scale: Scale): string {
  const { fromMs, toMs } = scale
  const bars = placed.flatMap((lane) => lane.bars)
  const counts = OUTCOMES.map((outcome) => [bars.filter((bar) => bar.outcome === outcome).length, outcome] as const)
  const seen = counts.filter(([count]) => count > 0).map(([count, outcome]) => `${count} ${OUTCOME_WORDS[outcome]}`)
  const window = [fromMs, toMs].map((ms) => `${dayOf(ms, true)} ${clockTime(ms, 'seconds')}`).join(' to ')
  return `${name}: ${lanes.map((lane) => lane.name).join(', ')}; ${window} UTC; ${seen.join(', ') || 'no tenures'}`
}
