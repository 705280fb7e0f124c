/**
 * A CloudWatch custom widget: the table of leases, and below it the timeline of their last tenures. It has no script,
 * no outside resource, and only one class name for styling, so that CloudWatch removes nothing.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_dashboard_security.html
 */
// @ts-nocheck

import { html, type Markup } from './html.ts'
import { leaseTimeline, type TimeWindow } from './lanes.ts'
import { renderLeaseTable } from './lease-table.ts'
import type { LeaseView } from './model.ts'
import { type Palette, THEMES, type Theme } from './palette.ts'
import { renderLegend } from './timeline/shapes.ts'
import { renderTimeline } from './timeline.ts'

export interface WidgetPage {
  readonly theme: Theme
  /** Of the content, in pixels. */
  readonly width: number
  readonly nowMs: number
  /** The time range of the dashboard. */
  readonly window?: TimeWindow | undefined
}

export function renderWidget(views: readonly LeaseView[], page: WidgetPage): Markup {
  const { theme, nowMs } = page
  const palette = THEMES[theme]
  const notes = views.flatMap(notesOn).map((note) => html`<li>${note}</li>`)
  return html`${style(palette)}<div class="tenure">
${renderLeaseTable(views, { nowMs, palette })}
${renderTenures(views, page, palette)}
${notes.length === 0 ? undefined : html`<ul class="tenure-notes">${notes}</ul>`}
</div>`
}

function renderTenures(views: readonly LeaseView[], { nowMs, width, window }: WidgetPage, palette: Palette): Markup {
  const shown = views.filter(({ state, tenures }) => state.kind !== 'unreadable' || tenures.length > 0)
  const outcomes = shown.flatMap(({ tenures }) => tenures.map(({ outcome }) => outcome))
  if (outcomes.length === 0) {
    return html`<p class="tenure-muted">No tenure yet. Tenures are drawn here as soon as a candidate leads.</p>`
  }
  const legend = html`<span class="tenure-muted">${renderLegend(outcomes, palette)}</span>`
  return html`<div class="tenure-head"><b>Last tenures</b>${legend}</div>
${renderTimeline({ ...leaseTimeline(shown, nowMs, window), width }, palette)}`
}

function notesOn({ lease, state, historyProblem, unreadableRows }: LeaseView): string[] {
  const isShownAbove = state.kind === 'unreadable' && state.problem === historyProblem
  const rows = unreadableRows === 1 ? '1 row has no time and is' : `${unreadableRows} rows have no time and are`
  const problem = historyProblem ?? (unreadableRows === 0 ? undefined : `${rows} not drawn`)
  return problem === undefined || isShownAbove ? [] : [`History of ${lease}: ${problem}`]
}

/** A message in the place of the leases, such as what is wrong with the parameters. */
export function renderMessage(title: string, lines: readonly (string | Markup)[], theme: Theme): Markup {
  const paragraphs = [html`<b>${title}</b>`, ...lines].map((line) => html`<p>${line}</p>`)
  return html`${style(THEMES[theme])}<div class="tenure">${paragraphs}</div>`
}

/** CloudWatch has its own styles for tables and texts, which these override. */
function style({ text, muted, line }: Palette): Markup {
  return html`<style>
.tenure{color:${text};font-size:13px;line-height:1.45;font-variant-numeric:tabular-nums}
.tenure p{margin:6px 0;color:inherit}
.tenure .tenure-muted{color:${muted}}
.tenure .tenure-code{overflow-wrap:anywhere}
.tenure .tenure-scroll{overflow-x:auto}
.tenure table.tenure-leases{width:100%;min-width:640px;border-collapse:collapse;border:0;margin:0 0 14px;
background:none}
.tenure .tenure-leases th,.tenure .tenure-leases td{padding:6px 14px 6px 0;border:0;border-bottom:1px solid ${line};
background:none;text-align:left;vertical-align:top;color:inherit;font-size:13px;font-weight:400;overflow-wrap:anywhere}
.tenure .tenure-leases thead th{padding-top:0;color:${muted};font-size:12px;white-space:nowrap}
.tenure .tenure-leases tbody th,.tenure .tenure-leases b,.tenure .tenure-head b{font-weight:600}
.tenure .tenure-leases .tenure-number{overflow-wrap:normal}
.tenure .tenure-head{display:flex;flex-wrap:wrap;gap:2px 20px;align-items:baseline;margin:0 0 6px;font-size:12px}
.tenure .tenure-head b{font-size:13px}
.tenure .tenure-notes{margin:8px 0 0;padding:0;list-style:none;color:${muted};font-size:12px}
</style>`
}
