/** The table of leases: who leads, until when, and what was completed last. */
// @ts-nocheck

import { cut, formatTick, shortCandidate } from './descriptions.ts'
import { html, type Markup } from './html.ts'
import type { LeaseState, LeaseView } from './model.ts'
import type { Palette } from './palette.ts'
import { instant, span } from './time-words.ts'
import { drawGlyph, type Glyph, inlineSvg } from './timeline/shapes.ts'

interface Page {
  readonly nowMs: number
  readonly palette: Palette
}

const COLUMNS = ['Lease', 'State', 'Leader', 'Token', 'Tick (UTC)', 'Last completed']

export function renderLeaseTable(views: readonly LeaseView[], page: Page): Markup {
  const head = COLUMNS.map((column) => html`<th scope="col">${column}</th>`)
  const rows = views.map((view) => html`<tr><th scope="row">${view.lease}</th>${cells(view, page)}</tr>`)
  return html`<div class="tenure-scroll"><table class="tenure-leases"><thead><tr>${head}</tr></thead>
<tbody>${rows}</tbody></table></div>`
}

function cells(view: LeaseView, page: Page): Markup {
  const { state, fencingToken: token } = view
  if (state.kind === 'unreadable') {
    return html`<td colspan="${COLUMNS.length - 1}">${icon('unreadable', page)}${state.problem}</td>`
  }
  const none = html`<span class="tenure-muted" aria-label="none">–</span>`
  const tick = view.tick === undefined ? none : formatTick(view.tick, page.nowMs)
  const candidate = 'candidate' in state ? state.candidate : undefined
  const announced = 'announcement' in state ? JSON.stringify(state.announcement) : undefined
  const proclaimed = announced && html`<br><span class="tenure-code tenure-muted">${cut(announced, 80)}</span>`
  const name = candidate && html`<span class="tenure-code" title="${candidate}">${shortCandidate(candidate)}</span>`
  const leader = name && html`${name}${proclaimed}`
  const [shownLeader, completed] = [leader ?? none, renderCompletion(view, page) ?? none]
  const number = html`<td class="tenure-number">${token ?? none}</td>`
  return html`<td>${renderState(view, page)}</td><td>${shownLeader}</td>${number}<td>${tick}</td><td>${completed}</td>`
}

function renderState({ state, pausedUntilMs }: LeaseView, page: Page): Markup {
  const [word, more] = describeState(state, page.nowMs)
  const isPausedToo = pausedUntilMs !== undefined && state.kind !== 'paused'
  const pause = isPausedToo ? `; paused for others until ${instant(pausedUntilMs, page.nowMs)} UTC` : ''
  return html`${icon(state.kind, page)}<b>${word}</b> <span class="tenure-muted">${more}${pause}</span>`
}

function describeState(state: LeaseState, nowMs: number): readonly [string, string] {
  switch (state.kind) {
    case 'leading':
      return ['Leading', `${forSpan(state.ledMs)}expires in ${span(state.remainingMs)}`]
    case 'expired':
      return ['Expired', `${span(state.sinceMs)} ago: the holder did not renew`]
    case 'paused':
      return ['Paused', `until ${instant(state.untilMs, nowMs)} UTC, for ${span(state.untilMs - nowMs)}`]
    case 'vacant':
      return ['Vacant', state.keptFor === undefined ? '' : `kept for ${shortCandidate(state.keptFor)}`]
    case 'unused':
      return ['Not used yet', 'no candidate has asked for it']
    case 'unreadable':
      return ['Not readable', '']
  }
}

const forSpan = (ms: number | undefined): string => (ms === undefined ? '' : `for ${span(ms)}, `)

function renderCompletion({ lastCompletion }: LeaseView, { nowMs }: Page): Markup | undefined {
  if (lastCompletion === undefined) return undefined
  const { tick, atMs } = lastCompletion
  const ago = atMs === undefined ? undefined : `${span(nowMs - atMs)} ago`
  if (tick === undefined) return html`${ago ?? 'at an unknown time'}`
  const time = ago === undefined ? undefined : html` <span class="tenure-muted">· ${ago}</span>`
  return html`tick ${formatTick(tick, nowMs)}${time}`
}

/** The states differ in shape, not only in colour. */
const ICONS: Readonly<Record<LeaseState['kind'], Glyph>> = {
  leading: { path: 'M1.75 5A3.25 3.25 0 1 0 8.25 5A3.25 3.25 0 1 0 1.75 5Z', colour: 'leading', isFilled: true },
  vacant: { path: 'M1.5 5A3.5 3.5 0 1 0 8.5 5A3.5 3.5 0 1 0 1.5 5Z', colour: 'muted' },
  unused: { path: 'M2 5H8', colour: 'muted' },
  paused: { path: 'M3 1.5V8.5M7 1.5V8.5', colour: 'takenOver' },
  expired: { path: 'M5 2.2 8.2 7.9H1.8Z', colour: 'failed', isFilled: true },
  unreadable: { path: 'M5 1.3 9 8.5H1ZM5 4V5.8M5 7.1V7.2', colour: 'failed' },
}

const icon = (kind: LeaseState['kind'], { palette }: Page): Markup =>
  inlineSvg(10, 10, '', drawGlyph(ICONS[kind], palette))
