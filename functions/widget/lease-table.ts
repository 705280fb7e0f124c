/** The table of leases: who leads, until when, and what was last completed. Two widths, the same facts. */
import { html, type Markup } from './html.ts'
import type { LeaseState, LeaseView } from './model.ts'
import type { Palette } from './palette.ts'
import { instant, span } from './time-words.ts'
import { shortCandidate, tickWords } from './wording.ts'

interface Page {
  readonly nowMs: number
  readonly palette: Palette
}

/** @param isWide whether there is room for a column for each fact; else what belongs together shares one */
export function renderLeaseTable(views: readonly LeaseView[], page: Page, isWide: boolean): Markup {
  const heads = isWide ? ['Lease', 'State', 'Leader', 'Token', 'Tick (UTC)', 'Last completed'] : ['Lease', 'State']
  const rows = views.map((view) => html`<tr>${isWide ? wideCells(view, page) : narrowCells(view, page)}</tr>`)
  return html`<table class="tenure-leases ${isWide ? '' : 'tenure-narrow'}"><thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table>`
}

function wideCells(view: LeaseView, page: Page): Markup {
  const { lease, state, fencingToken, tick } = view
  if (state.kind === 'unreadable') return problemCells(lease, state, 5, page)
  return html`<th scope="row">${lease}</th><td>${stateWords(view, page)}</td><td>${leader(state)}</td><td class="tenure-number">${fencingToken ?? nothing()}</td><td>${
    tick === undefined ? nothing() : tickWords(tick, page.nowMs)
  }</td><td>${completion(view, page)}</td>`
}

function narrowCells(view: LeaseView, page: Page): Markup {
  const { lease, state, fencingToken, tick, lastCompletion } = view
  if (state.kind === 'unreadable') return problemCells(lease, state, 1, page)
  const isHeld = state.kind === 'leading' || state.kind === 'expired'
  const lines = [
    isHeld ? leader(state) : undefined,
    [
      ...(fencingToken === undefined ? [] : [`token ${fencingToken}`]),
      ...(tick === undefined ? [] : [`tick ${tickWords(tick, page.nowMs)}`]),
    ].join(' · '),
    lastCompletion === undefined ? undefined : html`completed ${completion(view, page)}`,
  ].filter((line) => line !== undefined && line !== '')
  return html`<th scope="row">${lease}</th><td>${stateWords(view, page)}${lines.map(
    (line) => html`<div class="tenure-muted">${line}</div>`,
  )}</td>`
}

const problemCells = (lease: string, state: LeaseState & { kind: 'unreadable' }, columns: number, page: Page) =>
  html`<th scope="row">${lease}</th><td colspan="${columns}">${icon('unreadable', page.palette)}${state.problem}</td>`

const nothing = () => html`<span class="tenure-muted" aria-label="none">–</span>`

function leader(state: LeaseState): Markup {
  if (state.kind !== 'leading' && state.kind !== 'expired') return nothing()
  return html`<span class="tenure-code" title="${state.candidate}">${shortCandidate(state.candidate)}</span>`
}

function stateWords({ state, pausedUntilMs }: LeaseView, { nowMs, palette }: Page): Markup {
  const [word, more] = wordsFor(state, nowMs)
  const isPausedToo = pausedUntilMs !== undefined && state.kind !== 'paused'
  const pause = isPausedToo ? `; paused for others until ${instant(pausedUntilMs, nowMs)} UTC` : ''
  return html`${icon(state.kind, palette)}<b>${word}</b> <span class="tenure-muted">${more}${pause}</span>`
}

function wordsFor(state: LeaseState, nowMs: number): readonly [string, string] {
  switch (state.kind) {
    case 'leading':
      return ['Leading', `expires in ${span(state.remainingMs)}`]
    case 'expired':
      return ['Expired', `${span(state.sinceMs)} ago: the holder did not come back`]
    case 'paused':
      return ['Paused', `until ${instant(state.untilMs, nowMs)} UTC, for ${span(state.untilMs - nowMs)}`]
    case 'vacant':
      return ['Vacant', '']
    case 'unused':
      return ['Not used yet', 'no candidate has asked for it']
    case 'unreadable':
      return ['Not readable', '']
  }
}

function completion({ lastCompletion }: LeaseView, { nowMs }: Page): Markup {
  if (lastCompletion === undefined) return nothing()
  const { tick, atMs } = lastCompletion
  const ago = atMs === undefined ? undefined : `${span(nowMs - atMs)} ago`
  if (tick === undefined) return html`${ago ?? 'at an unknown time'}`
  return html`tick ${tickWords(tick, nowMs)}${ago === undefined ? undefined : html` <span class="tenure-muted">· ${ago}</span>`}`
}

/** A shape of its own for each state, beside its colour. */
const ICONS: Readonly<
  Record<LeaseState['kind'], { readonly path: string; readonly colour: keyof Palette; readonly filled: boolean }>
> = {
  leading: { path: 'M1 5A4 4 0 1 0 9 5A4 4 0 1 0 1 5Z', colour: 'leading', filled: true },
  vacant: { path: 'M1.5 5A3.5 3.5 0 1 0 8.5 5A3.5 3.5 0 1 0 1.5 5Z', colour: 'muted', filled: false },
  unused: { path: 'M2 5H8', colour: 'muted', filled: false },
  paused: { path: 'M3 1.5V8.5M7 1.5V8.5', colour: 'takenOver', filled: false },
  expired: { path: 'M5 1 9.2 8.6H.8Z', colour: 'failed', filled: true },
  unreadable: { path: 'M5 1.3 9 8.5H1ZM5 4V5.8M5 7.1V7.2', colour: 'failed', filled: false },
}

function icon(kind: LeaseState['kind'], palette: Palette): Markup {
  const { path, colour, filled } = ICONS[kind]
  return html`<svg xmlns="http://www.w3.org/2000/svg" aria-hidden="true" width="10" height="10" viewBox="0 0 10 10" style="display:inline-block;margin-right:6px"><path d="${path}" fill="${filled ? palette[colour] : 'none'}" stroke="${palette[colour]}" stroke-width="${filled ? 0 : 1.5}" stroke-linecap="round" stroke-linejoin="round"/></svg>`
}
