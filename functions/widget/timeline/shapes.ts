/**
 * How each outcome and each mark looks, in colour and without: what ended well or lasts is filled, the leader's bar ends
 * in a point, what went wrong carries a sign, and what ended otherwise is only an outline.
 */
import { html, type Markup } from '../html.ts'
import type { Palette } from '../palette.ts'
import { round } from './axis.ts'
import type { BarOutcome, MarkKind } from './input.ts'
import type { Placed, PlacedMark } from './layout.ts'

export const BAR_HEIGHT = 14
/** The sign of a bar that is too narrow for it stands over it. */
export const SIGN_HEIGHT = 9
const SIGN_WIDTH = 16
const LETTER_WIDTH = 6.1

/** Paths around the origin, within 3 pixels of it. Completed and released need none: theirs is the plain shape. */
const SIGNS: Partial<Record<BarOutcome, string>> = {
  failed: 'M-2.6-2.6 2.6 2.6M2.6-2.6-2.6 2.6',
  forced: 'M0-3.6V0M0 3.3V3.4',
  takenOver: 'M-2.8-2.6.2 0-2.8 2.6M.2-2.6 3.2 0 .2 2.6',
  unknown: 'M-1.9-1.6C-1.9-3.6 1.9-3.6 1.9-1.5 1.9-.2 0-.3 0 1.2M0 2.9V3.3',
}

const DASHES: Partial<Record<BarOutcome, string>> = { takenOver: '4 2', unknown: '1.5 2' }
const isOutline = (outcome: BarOutcome) => ['released', 'takenOver', 'unknown'].includes(outcome)

/** @param y the upper edge */
export function drawBar(bar: Placed, y: number, palette: Palette): Markup {
  const { x, width, outcome } = bar
  const colour = palette[outcome]
  const [signInk, textInk] = isOutline(outcome) ? [colour, palette.text] : [palette.onBar, palette.onBar]
  const middle = y + BAR_HEIGHT / 2
  const sign = SIGNS[outcome]
  const isRoomy = width >= SIGN_WIDTH + 2
  const drawnSign = isRoomy
    ? drawSign(sign, x + width - SIGN_WIDTH / 2, middle, signInk)
    : drawSign(sign, x + width / 2, y - SIGN_HEIGHT / 2, colour)
  const inside = fitted(bar.label, width - 12 - (sign === undefined ? 0 : SIGN_WIDTH - 6))
  const label = inside === bar.label ? undefined : fittedBeside(bar)
  const text =
    label === undefined
      ? html`<text x="${round(x + 6)}" y="${middle + 3.5}" font-size="10.5" fill="${textInk}">${inside}</text>`
      : html`<text x="${round(x + width + 4)}" y="${middle - 3}" font-size="10.5" fill="${palette.muted}">${label}</text>`
  const id = bar.id === undefined ? undefined : html` data-bar="${bar.id}"`
  return html`<g${id}><title>${bar.title}</title>${body(bar, y, colour)}${drawnSign}${(label ?? inside) === '' ? undefined : text}</g>`
}

/** The whole label, behind a bar that is too short for it and over the line there; undefined where it has no room there either. */
function fittedBeside({ label, room = 0 }: Placed): string | undefined {
  const text = fitted(label, room - 8)
  return text === label ? text : undefined
}

function body({ x, width, outcome, isOpen }: Placed, y: number, colour: string): Markup {
  if (isOpen && outcome === 'leading') {
    const [end, point] = [x + width, Math.min(width, 6)]
    const middle = y + BAR_HEIGHT / 2
    return html`<path d="M${x} ${y}H${round(end - point)}L${round(end)} ${middle}L${round(end - point)} ${y + BAR_HEIGHT}H${x}Z" fill="${colour}"/>`
  }
  const radius = Math.min(3, width / 2)
  if (!isOutline(outcome)) {
    return html`<rect x="${x}" y="${y}" width="${round(width)}" height="${BAR_HEIGHT}" rx="${radius}" fill="${colour}"/>`
  }
  // The faint filling makes all of the bar answer to the pointer.
  return html`<rect x="${round(x + 0.75)}" y="${y + 0.75}" width="${round(width - 1.5)}" height="${BAR_HEIGHT - 1.5}" rx="${radius}" fill="${colour}" fill-opacity="0.12" stroke="${colour}" stroke-width="1.5" stroke-dasharray="${DASHES[outcome] ?? 'none'}"/>`
}

function drawSign(path: string | undefined, x: number, y: number, colour: string): Markup | undefined {
  if (path === undefined) return undefined
  return html`<path d="${path}" transform="translate(${round(x)} ${round(y)})" fill="none" stroke="${colour}" stroke-width="1.8" stroke-linecap="round"/>`
}

/** As much of the text as has room, with its end cut; nothing where that would tell nothing. */
export function fitted(text: string, width: number, letterWidth = LETTER_WIDTH): string {
  const letters = Array.from(text)
  const room = Math.floor(width / letterWidth)
  if (letters.length <= room) return text
  return room < 5 ? '' : `${letters.slice(0, room - 1).join('')}…`
}

/** Paths around the origin. `standby` is hollow: nothing happened there. */
const MARKS: Readonly<
  Record<MarkKind, { readonly path: string; readonly colour: keyof Palette; readonly filled: boolean }>
> = {
  tick: { path: 'M0-4V4', colour: 'muted', filled: false },
  standby: { path: 'M-3 0A3 3 0 1 0 3 0A3 3 0 1 0-3 0Z', colour: 'muted', filled: false },
  failure: {
    path: 'M-3.6 0A3.6 3.6 0 1 0 3.6 0A3.6 3.6 0 1 0-3.6 0ZM0-1.9V.3M0 1.9V2',
    colour: 'failed',
    filled: false,
  },
  expiry: { path: 'M-3-4H3M0-4V4M-3 4H3', colour: 'takenOver', filled: false },
  accepted: { path: 'M0-3.6 3.6 3H-3.6Z', colour: 'completed', filled: true },
  refused: { path: 'M-3-3 3 3M3-3-3 3', colour: 'failed', filled: false },
  broken: { path: 'M1.5-5-3 .8H-.4L-1.5 5 3-.8H.4Z', colour: 'forced', filled: true },
}

/** @param y the middle */
export function drawMark({ kind, x, title }: PlacedMark, y: number, palette: Palette): Markup {
  const { path, colour, filled } = MARKS[kind]
  return html`<g transform="translate(${x} ${y})"><title>${title}</title><rect x="-5" y="-5" width="10" height="10" fill-opacity="0"/><path d="${path}" fill="${filled ? palette[colour] : 'none'}" stroke="${palette[colour]}" stroke-width="1.5" stroke-linecap="round"/></g>`
}
