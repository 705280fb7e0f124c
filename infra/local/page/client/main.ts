/** The page on which to watch an election, and break it: it draws what the feed tells, and sends acts. */
import { html } from '../../../../functions/widget/html.ts'
import { CUSTOM_PROPERTIES } from '../../../../functions/widget/palette.ts'
import { renderLegend, renderMarkLegend } from '../../../../functions/widget/timeline/legend.ts'
import { renderTimeline, type Timeline } from '../../../../functions/widget/timeline.ts'
import { sendActs } from './acting.ts'
import { part, patch, replace } from './dom.ts'
import { type Connection, listen } from './feed-source.ts'
import { fold } from './fold.ts'
import { newHistory } from './history.ts'
import { pictureOf } from './picture.ts'
import { createScroller } from './scroller.ts'
import { createStoryPanel } from './story-panel.ts'
import {
  leaderWords,
  renderCandidates,
  renderCounters,
  renderLeaderActs,
  renderSubject,
  renderTenures,
} from './view.ts'

/** The line of now goes on though nothing happens. */
const REDRAW_MS = 250
/** A screen reader is told the newest thing, and not each of many. */
const NEWS_MS = 1_000

const CONNECTION: Readonly<Record<Connection, string>> = {
  open: '',
  lost: 'The run does not answer: it has ended, or it comes back.',
  refused: 'The run does not take this page: open the address that npm start printed last, or close other pages of it.',
}

let history = newHistory()
/** How far the server's clock is ahead of the browser's. */
let offsetMs = 0
let isDue = false
let isScrolling = false
let drawnRevision = -1

const scroller = createScroller(part('scroller'), part('spacer'), invalidate)
const story = createStoryPanel(() => history)

function invalidate(byScrolling = false): void {
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
  const draws = isScrolling ? replace : patch
  draws('picture', renderTimeline(picture, CUSTOM_PROPERTIES))
  isScrolling = false
  patch('leader', html`${leaderWords(history, nowMs)}`)
  part('follow').setAttribute('aria-pressed', String(scroller.isFollowing()))
  drawLegend(picture)
  if (drawnRevision !== history.revision) drawWords()
}

function drawLegend({ lanes }: Timeline): void {
  const outcomes = lanes.flatMap(({ bars }) => bars.map(({ outcome }) => outcome))
  const kinds = lanes.flatMap(({ marks = [] }) => marks.map(({ kind }) => kind))
  patch('legend', html`${renderLegend(outcomes, CUSTOM_PROPERTIES)}${renderMarkLegend(kinds, CUSTOM_PROPERTIES)}`)
}

function drawWords(): void {
  drawnRevision = history.revision
  patch('subject', renderSubject(history))
  patch('counters', renderCounters(history))
  patch('leader-acts', renderLeaderActs(history))
  patch('candidates', renderCandidates(history))
  patch('tenures', renderTenures(history))
  story.historyChanged()
}

const stopListening = listen({
  all: (entries, serverNowMs) => {
    offsetMs = serverNowMs - Date.now()
    history = newHistory()
    fold(history, entries)
    drawnRevision = -1
    heard()
  },
  more: (entries) => {
    fold(history, entries)
    heard()
  },
  connected: (state) => {
    if (history.over === undefined) patch('connection', html`${CONNECTION[state]}`)
  },
})

function heard(): void {
  if (history.over !== undefined) stopListening()
  invalidate()
}

setInterval(() => {
  const isAtRest = history.over !== undefined || document.hidden
  if (!isAtRest) invalidate()
}, REDRAW_MS)
setInterval(() => patch('news', html`${history.news}`), NEWS_MS)

sendActs()
document.addEventListener('click', ({ target }) => {
  if (!(target instanceof Element)) return
  const { story: number, failure } = target.closest<HTMLElement>('[data-story], [data-failure]')?.dataset ?? {}
  if (number !== undefined) story.open(Number(number))
  if (failure !== undefined) story.openFailure(failure)
})
// Not `click`: between pressing and releasing the picture may have been drawn anew.
part('picture').addEventListener('pointerup', ({ target, button }) => {
  const bar = target instanceof Element ? target.closest('[data-bar]')?.getAttribute('data-bar') : undefined
  if (button === 0 && bar !== undefined && bar !== null) story.open(Number(bar))
})
part('follow').addEventListener('click', () => scroller.follow(!scroller.isFollowing()))
part('zoom-in').addEventListener('click', () => scroller.zoom(1))
part('zoom-out').addEventListener('click', () => scroller.zoom(-1))
part('scroller').addEventListener('keydown', ({ key }) => {
  if (key === '+' || key === '=') scroller.zoom(1)
  if (key === '-') scroller.zoom(-1)
  if (key === 'End') scroller.follow(true)
})
