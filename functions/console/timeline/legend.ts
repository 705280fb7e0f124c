/** What the shapes mean, for those outcomes that occur. */
import { html, type Markup } from '../html.ts'
import type { Palette } from '../palette.ts'
import { type BarOutcome, OUTCOMES } from './input.ts'
import { OUTCOME_WORDS } from './layout.ts'
import { BAR_HEIGHT, drawBar } from './shapes.ts'

const WIDTH = 22

export function renderLegend(present: Iterable<BarOutcome>, palette: Palette): Markup {
  const shown = new Set(present)
  const entries = OUTCOMES.filter((outcome) => shown.has(outcome)).map((outcome) => {
    const bar = { x: 0, width: WIDTH, row: 0, outcome, label: '', title: OUTCOME_WORDS[outcome], isOpen: true }
    return html`<span style="display:inline-block;white-space:nowrap;margin:0 14px 0 0"><svg xmlns="http://www.w3.org/2000/svg" aria-hidden="true" width="${WIDTH}" height="${BAR_HEIGHT}" viewBox="0 0 ${WIDTH} ${BAR_HEIGHT}" style="display:inline-block;vertical-align:-2px;margin-right:6px">${drawBar(bar, 0, palette)}</svg>${OUTCOME_WORDS[outcome]}</span>`
  })
  return html`${entries}`
}
