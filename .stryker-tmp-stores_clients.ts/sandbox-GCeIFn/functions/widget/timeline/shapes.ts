/**
 * How each outcome and mark looks, with colour and without: a tenure that lasts or ended well is filled, the leader's
 * bar ends in a point, a tenure that ended badly has a sign, and any other end is an outline.
 */
// @ts-nocheck

import { html, type Markup } from '../html.ts'
import type { Palette } from '../palette.ts'
import { round, type Scale, xOf } from './axis.ts'
import { type BarOutcome, type Lane, MARK_KINDS, type MarkKind, OUTCOMES } from './input.ts'
import { OUTCOME_NAMES, type PlacedBar, type PlacedMark } from './layout.ts'

export const BAR_HEIGHT = 14
/** The sign of a bar that is too narrow for it stands above the bar. */
export const SIGN_HEIGHT = 9
const SIGN_WIDTH = 16
const LETTER_WIDTH = 6.1

/** Paths around the origin, within 3 pixels of it. Completed and released have the plain shape. */
const SIGNS: Partial<Record<BarOutcome, string>> = {
  failed: 'M-2.6-2.6 2.6 2.6M2.6-2.6-2.6 2.6',
  forced: 'M0-3.6V0M0 3.3V3.4',
  takenOver: 'M-2.8-2.6.2 0-2.8 2.6M.2-2.6 3.2 0 .2 2.6',
  continued: 'M-3 0H2.6M0-2.6 2.8 0 0 2.6',
  unknown: 'M-1.9-1.6C-1.9-3.6 1.9-3.6 1.9-1.5 1.9-.2 0-.3 0 1.2M0 2.9V3.3',
}

const DASHES: Partial<Record<BarOutcome, string>> = { takenOver: '4 2', unknown: '1.5 2' }
const isOutline = (outcome: BarOutcome) => ['released', 'takenOver', 'unknown'].includes(outcome)

/** A small SVG within a line of text. */
export function inlineSvg(width: number, height: number, style: string, content: Markup): Markup {
  const size = html`width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`
  const place = html`style="display:inline-block;${style}margin-right:6px"`
  return html`<svg xmlns="http://www.w3.org/2000/svg" aria-hidden="true" ${size} ${place}>${content}</svg>`
}

/** @param y the upper edge */
export function drawBar(bar: PlacedBar, y: number, palette: Palette): Markup {
  const { x, width, outcome } = bar
  const colour = palette[outcome]
  const [signInk, textInk] = isOutline(outcome) ? [colour, palette.text] : [palette.onBar, palette.onBar]
  const middle = y + BAR_HEIGHT / 2
  const sign = SIGNS[outcome]
  const drawnSign =
    width >= SIGN_WIDTH + 2
      ? drawSign(sign, x + width - SIGN_WIDTH / 2, middle, signInk)
      : drawSign(sign, x + width / 2, y - SIGN_HEIGHT / 2, colour)
  const inside = fitted(bar.label, width - 12 - (sign === undefined ? 0 : SIGN_WIDTH - 6))
  // The whole label, if there is room for it only behind the bar.
  const isBeside = inside !== bar.label && fitted(bar.label, (bar.room ?? 0) - 8) === bar.label
  const label = isBeside
    ? drawText(bar.label, x + width + 4, middle - 3, palette.muted)
    : drawText(inside, x + 6, middle + 3.5, textInk)
  const id = bar.id === undefined ? undefined : html` data-bar="${bar.id}"`
  const joints = bar.joints?.map((joint) => drawJoint(joint, y, palette))
  return html`<g${id}><title>${bar.title}</title>${drawBody(bar, y, colour)}${drawnSign}${label}${joints}</g>`
}

/** A gap in the bar, and above it the sign of a hand-over. */
function drawJoint({ x, title }: { readonly x: number; readonly title: string }, y: number, palette: Palette): Markup {
  const gap = html`<path d="M${x} ${y}v${BAR_HEIGHT}" stroke="${palette.onBar}" stroke-width="2"/>`
  const sign = drawSign(SIGNS.continued, x, y - SIGN_HEIGHT / 2, palette.continued)
  return html`<g><title>${title}</title>${gap}${sign}</g>`
}

function drawText(text: string, x: number, y: number, colour: string): Markup | undefined {
  if (text === '') return undefined
  return html`<text x="${round(x)}" y="${y}" font-size="10.5" fill="${colour}">${text}</text>`
}

function drawBody({ x, width, outcome, isOpen }: PlacedBar, y: number, colour: string): Markup {
  if (isOpen && outcome === 'leading') {
    const end = round(x + width)
    const neck = round(x + width - Math.min(width, 6))
    const point = html`H${neck}L${end} ${y + BAR_HEIGHT / 2}L${neck} ${y + BAR_HEIGHT}`
    return html`<path d="M${x} ${y}${point}H${x}Z" fill="${colour}"/>`
  }
  const rect = (inset: number, paint: Markup) => {
    const [w, h] = [round(width - 2 * inset), BAR_HEIGHT - 2 * inset]
    const place = html`x="${round(x + inset)}" y="${y + inset}" width="${w}" height="${h}"`
    return html`<rect ${place} rx="${Math.min(3, width / 2)}" fill="${colour}"${paint}/>`
  }
  if (!isOutline(outcome)) return rect(0, html``)
  // The faint fill makes the whole bar react to the pointer.
  const dashes = DASHES[outcome] ?? 'none'
  return rect(0.75, html` fill-opacity="0.12" stroke="${colour}" stroke-width="1.5" stroke-dasharray="${dashes}"`)
}

function drawSign(path: string | undefined, x: number, y: number, colour: string): Markup | undefined {
  if (path === undefined) return undefined
  const place = html`transform="translate(${round(x)} ${round(y)})"`
  return html`<path d="${path}" ${place} fill="none" stroke="${colour}" stroke-width="1.8" stroke-linecap="round"/>`
}

/** As much of the text as fits, with its end cut; nothing if fewer than five letters fit. */
export function fitted(text: string, width: number, letterWidth = LETTER_WIDTH): string {
  const letters = Array.from(text)
  const room = Math.floor(width / letterWidth)
  if (letters.length <= room) return text
  return room < 5 ? '' : `${letters.slice(0, room - 1).join('')}…`
}

export interface Glyph {
  readonly path: string
  readonly colour: keyof Palette
  readonly isFilled?: true
}

const CIRCLE = 'M-3.6 0A3.6 3.6 0 1 0 3.6 0A3.6 3.6 0 1 0-3.6 0Z'
/** Paths around the origin. `standby` is hollow, since no tenure began. */
const MARKS: Readonly<Record<MarkKind, Glyph & { readonly name: string }>> = {
  tick: { name: 'tick', path: 'M0-4V4', colour: 'muted' },
  standby: { name: 'stood by', path: 'M-3 0A3 3 0 1 0 3 0A3 3 0 1 0-3 0Z', colour: 'muted' },
  failure: { name: 'failed without leading', path: `${CIRCLE}M0-1.9V.3M0 1.9V2`, colour: 'failed' },
  expiry: { name: 'lease expires', path: 'M-3-4H3M0-4V4M-3 4H3', colour: 'takenOver' },
  accepted: { name: 'effect accepted', path: 'M0-3.6 3.6 3H-3.6Z', colour: 'completed', isFilled: true },
  refused: { name: 'effect refused', path: 'M-3-3 3 3M3-3-3 3', colour: 'failed' },
  unguarded: {
    name: 'stale effect accepted, no fence',
    path: 'M0-4.6 4.6 4H-4.6ZM0-1.4V1M0 2.7V2.8',
    colour: 'forced',
  },
  broken: { name: 'broken on purpose', path: 'M1.5-5-3 .8H-.4L-1.5 5 3-.8H.4Z', colour: 'forced', isFilled: true },
}

export function drawGlyph({ path, colour, isFilled }: Glyph, palette: Palette): Markup {
  const ink = palette[colour]
  const line = html`stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"`
  return html`<path d="${path}" fill="${isFilled ? ink : 'none'}" stroke="${ink}" ${line}/>`
}

/** @param y the middle */
export function drawMark({ kind, x, title }: PlacedMark, y: number, palette: Palette): Markup {
  const target = html`<rect x="-5" y="-5" width="10" height="10" fill-opacity="0"/>`
  const glyph = drawGlyph(MARKS[kind], palette)
  return html`<g transform="translate(${x} ${y})"><title>${title}</title>${target}${glyph}</g>`
}

/** The line between the bars of the first row. It is dotted as long as nothing is known. */
export function drawLine(lane: Lane, bars: readonly PlacedBar[], y: number, scale: Scale, palette: Palette): Markup {
  const known = xOf(scale, lane.knownFromMs ?? scale.fromMs)
  const first = bars.filter(({ row }) => row === 0)
  const paint = html`fill="none" stroke="${palette.line}" stroke-width="1.5"`
  const drawn = (from: number, to: number, dashes: string) => {
    const path = gaps(first, from, to, y)
    return html`<path d="${path}" ${paint} stroke-dasharray="${dashes}" stroke-linecap="round"/>`
  }
  return html`${known > scale.left ? drawn(scale.left, known, '1 5') : undefined}${drawn(known, scale.right, 'none')}`
}

function gaps(bars: readonly PlacedBar[], from: number, to: number, y: number): string {
  let path = ''
  let at = from
  for (const { x, width } of [...bars, { x: to, width: 0 }]) {
    const end = Math.min(x, to)
    if (end > at) path += `M${round(at)} ${y}H${end}`
    at = Math.max(at, x + width)
  }
  return path
}

const LEGEND_BAR_WIDTH = 22
const LEGEND_MARK_WIDTH = 12

/** One entry for each outcome that occurs. */
export function renderLegend(present: readonly BarOutcome[], palette: Palette): Markup {
  const entries = OUTCOMES.filter((outcome) => present.includes(outcome)).map((outcome) => {
    const title = OUTCOME_NAMES[outcome]
    const bar = { x: 0, width: LEGEND_BAR_WIDTH, row: 0, outcome, label: '', title, isOpen: true }
    return legendEntry(LEGEND_BAR_WIDTH, drawBar(bar, 0, palette), title)
  })
  return html`${entries}`
}

export function renderMarkLegend(present: readonly MarkKind[], palette: Palette): Markup {
  const entries = MARK_KINDS.filter((kind) => present.includes(kind)).map((kind) => {
    const title = MARKS[kind].name
    return legendEntry(
      LEGEND_MARK_WIDTH,
      drawMark({ kind, x: LEGEND_MARK_WIDTH / 2, title }, BAR_HEIGHT / 2, palette),
      title,
    )
  })
  return html`${entries}`
}

function legendEntry(width: number, shape: Markup, words: string): Markup {
  const svg = inlineSvg(width, BAR_HEIGHT, 'vertical-align:-2px;', shape)
  return html`<span style="display:inline-block;white-space:nowrap;margin:0 14px 0 0">${svg}${words}</span>`
}
