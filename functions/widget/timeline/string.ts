import { html, type Markup } from '../html.ts'
import type { Palette } from '../palette.ts'
import { round, type Scale, xOf } from './axis.ts'
import type { Lane } from './input.ts'
import type { Placed } from './layout.ts'

/** The line on which the bars of the first row are strung: between them only, as some are mere outlines. Dotted before anything is known. */
export function drawString(lane: Lane, bars: readonly Placed[], y: number, scale: Scale, palette: Palette): Markup {
  const known = xOf(scale, lane.knownFromMs ?? scale.fromMs)
  const first = bars.filter(({ row }) => row === 0)
  const drawn = (from: number, to: number, dashes: string) =>
    html`<path d="${gaps(first, from, to, y)}" fill="none" stroke="${palette.line}" stroke-width="1.5" stroke-dasharray="${dashes}" stroke-linecap="round"/>`
  return html`${known > scale.left ? drawn(scale.left, known, '1 5') : undefined}${drawn(known, scale.right, 'none')}`
}

function gaps(bars: readonly Placed[], from: number, to: number, y: number): string {
  let path = ''
  let at = from
  for (const { x, width } of [...bars, { x: to, width: 0 }]) {
    const end = Math.min(x, to)
    if (end > at) path += `M${round(at)} ${y}H${end}`
    at = Math.max(at, x + width)
  }
  return path
}
