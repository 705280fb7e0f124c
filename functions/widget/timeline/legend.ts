/** The legend: one entry for each outcome or mark that occurs. */
import { html, type Markup } from '../html.ts'
import type { Palette } from '../palette.ts'
import { type BarOutcome, MARK_KINDS, type MarkKind, OUTCOMES } from './input.ts'
import { OUTCOME_NAMES } from './layout.ts'
import { BAR_HEIGHT, drawBar, drawMark, inlineSvg, MARKS } from './shapes.ts'

const BAR_WIDTH = 22
const MARK_WIDTH = 12

export function renderLegend(present: readonly BarOutcome[], palette: Palette): Markup {
  const entries = OUTCOMES.filter((outcome) => present.includes(outcome)).map((outcome) => {
    const title = OUTCOME_NAMES[outcome]
    const bar = { x: 0, width: BAR_WIDTH, row: 0, outcome, label: '', title, isOpen: true }
    return entry(BAR_WIDTH, drawBar(bar, 0, palette), title)
  })
  return html`${entries}`
}

export function renderMarkLegend(present: readonly MarkKind[], palette: Palette): Markup {
  const entries = MARK_KINDS.filter((kind) => present.includes(kind)).map((kind) => {
    const title = MARKS[kind].name
    return entry(MARK_WIDTH, drawMark({ kind, x: MARK_WIDTH / 2, title }, BAR_HEIGHT / 2, palette), title)
  })
  return html`${entries}`
}

function entry(width: number, shape: Markup, words: string): Markup {
  const svg = inlineSvg(width, BAR_HEIGHT, 'vertical-align:-2px;', shape)
  return html`<span style="display:inline-block;white-space:nowrap;margin:0 14px 0 0">${svg}${words}</span>`
}
