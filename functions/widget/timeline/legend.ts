/** What the shapes mean, for those outcomes that occur. */
import { html, type Markup } from '../html.ts'
import type { Palette } from '../palette.ts'
import { type BarOutcome, MARK_KINDS, type MarkKind, OUTCOMES } from './input.ts'
import { MARK_WORDS, OUTCOME_WORDS } from './layout.ts'
import { BAR_HEIGHT, drawBar, drawMark } from './shapes.ts'

const BAR_WIDTH = 22
const MARK_WIDTH = 12

export function renderLegend(present: Iterable<BarOutcome>, palette: Palette): Markup {
  const shown = new Set(present)
  const entries = OUTCOMES.filter((outcome) => shown.has(outcome)).map((outcome) => {
    const words = OUTCOME_WORDS[outcome]
    const bar = { x: 0, width: BAR_WIDTH, row: 0, outcome, label: '', title: words, isOpen: true }
    return entry(BAR_WIDTH, drawBar(bar, 0, palette), words)
  })
  return html`${entries}`
}

/** The same for marks. */
export function renderMarkLegend(present: Iterable<MarkKind>, palette: Palette): Markup {
  const shown = new Set(present)
  const entries = MARK_KINDS.filter((kind) => shown.has(kind)).map((kind) => {
    const words = MARK_WORDS[kind]
    return entry(MARK_WIDTH, drawMark({ kind, x: MARK_WIDTH / 2, title: words }, BAR_HEIGHT / 2, palette), words)
  })
  return html`${entries}`
}

function entry(width: number, shape: Markup, words: string): Markup {
  return html`<span style="display:inline-block;white-space:nowrap;margin:0 14px 0 0"><svg xmlns="http://www.w3.org/2000/svg" aria-hidden="true" width="${width}" height="${BAR_HEIGHT}" viewBox="0 0 ${width} ${BAR_HEIGHT}" style="display:inline-block;vertical-align:-2px;margin-right:6px">${shape}</svg>${words}</span>`
}
