/** The page of a local run: it draws the entries of the feed, and sends faults. */
import { html } from '../../../../functions/widget/html.ts'
import { CUSTOM_PROPERTIES } from '../../../../functions/widget/palette.ts'
import { renderLegend, renderMarkLegend } from '../../../../functions/widget/timeline/legend.ts'
import { renderTimeline, type Timeline } from '../../../../functions/widget/timeline.ts'
import type { Update } from '../../observe/entries.ts'
import { type ConnectionState, listen, sendFaults } from './connection.ts'
import { part, patch } from './dom.ts'
import { History } from './history.ts'
import { LogPanel } from './log-panel.ts'
import { pictureOf } from './picture.ts'
import { Scroller } from './scroller.ts'
import {
  describeLeader,
  renderCandidates,
  renderCounters,
  renderLeaderFaults,
  renderSubject,
  renderTenures,
} from './view.ts'

/** The line of the current time moves even if nothing happens. */
const REDRAW_MS = 250
/** A screen reader reads only the latest news. */
const NEWS_MS = 1_000

const CONNECTION_TEXT: Readonly<Record<ConnectionState, string>> = {
  open: '',
  lost: 'The run does not answer: it has ended, or it is about to return.',
  refused: 'The run rejects this page: open the address that npm start printed last, or close other pages of the run.',
}

let history = new History()
/** How far the server's clock is ahead of the browser's. */
let offsetMs = 0
let isDue = false
let isScrolling = false
let drawnRevision = -1

const scroller = new Scroller(part('scroller'), part('spacer'), requestDraw)
const logPanel = new LogPanel(() => history)

function requestDraw(byScrolling = false): void {
  isScrolling ||= byScrolling
  if (isDue) return
  isDue = true
  requestAnimationFrame(draw)
}

function draw(): void {
  isDue = false
  const { over, setup } = history
  const nowMs = Math.min(Date.now() + offsetMs, over?.atMs ?? Number.POSITIVE_INFINITY)
  const { fromMs = nowMs } = history
  const window = scroller.windowFor(fromMs, nowMs, over === undefined ? (setup?.leaseMs ?? 0) : 0)
  const picture = pictureOf(history, window)
  part('picture').style.width = `${window.width}px`
  patch('picture', renderTimeline(picture, CUSTOM_PROPERTIES), !isScrolling)
  isScrolling = false
  patch('leader', html`${describeLeader(history, nowMs)}`)
  part('follow').setAttribute('aria-pressed', String(scroller.isFollowing))
  drawLegend(picture)
  if (drawnRevision !== history.revision) drawParts()
}

function drawLegend({ lanes }: Timeline): void {
  const outcomes = lanes.flatMap(({ bars }) => bars.map(({ outcome }) => outcome))
  const kinds = lanes.flatMap(({ marks = [] }) => marks.map(({ kind }) => kind))
  patch('legend', html`${renderLegend(outcomes, CUSTOM_PROPERTIES)}${renderMarkLegend(kinds, CUSTOM_PROPERTIES)}`)
}

function drawParts(): void {
  drawnRevision = history.revision
  patch('subject', renderSubject(history))
  patch('counters', renderCounters(history))
  patch('leader-faults', renderLeaderFaults(history))
  patch('candidates', renderCandidates(history))
  patch('tenures', renderTenures(history))
  logPanel.historyChanged()
}

const stopListening = listen({
  snapshot: ({ nowMs, entries }) => {
    offsetMs = nowMs - Date.now()
    history = new History()
    drawnRevision = -1
    receive(entries)
  },
  more: receive,
  connection: (state) => {
    if (history.over === undefined) patch('connection', html`${CONNECTION_TEXT[state]}`)
  },
})

function receive(updates: readonly Update[]): void {
  history.fold(updates)
  if (history.over !== undefined) stopListening()
  requestDraw()
}

setInterval(() => {
  const isAtRest = history.over !== undefined || document.hidden
  if (!isAtRest) requestDraw()
}, REDRAW_MS)
setInterval(() => patch('news', html`${history.news}`), NEWS_MS)

sendFaults((reason) => patch('refusal', html`${reason}`))
document.addEventListener('click', ({ target }) => {
  if (!(target instanceof Element)) return
  const { log, failure } = target.closest<HTMLElement>('[data-log], [data-failure]')?.dataset ?? {}
  if (log !== undefined) logPanel.open(Number(log))
  if (failure !== undefined) logPanel.openFailure(failure)
})
// Not `click`: the picture may be redrawn between press and release.
part('picture').addEventListener('pointerup', ({ target, button }) => {
  const bar = target instanceof Element ? target.closest('[data-bar]')?.getAttribute('data-bar') : undefined
  if (button === 0 && bar !== undefined && bar !== null) logPanel.open(Number(bar))
})
part('follow').addEventListener('click', () => scroller.follow(!scroller.isFollowing))
part('zoom-in').addEventListener('click', () => scroller.zoom(1))
part('zoom-out').addEventListener('click', () => scroller.zoom(-1))
part('scroller').addEventListener('keydown', ({ key }) => {
  if (key === '+' || key === '=') scroller.zoom(1)
  if (key === '-') scroller.zoom(-1)
  if (key === 'End') scroller.follow(true)
})
