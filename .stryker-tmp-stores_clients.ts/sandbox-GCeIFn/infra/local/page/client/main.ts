/** The page of a local run: it draws the entries of the feed, and sends faults. */
// @ts-nocheck

import { html } from '../../../../functions/widget/html.ts'
import { CUSTOM_PROPERTIES } from '../../../../functions/widget/palette.ts'
import { MARK_KINDS } from '../../../../functions/widget/timeline/input.ts'
import { renderLegend, renderMarkLegend } from '../../../../functions/widget/timeline/shapes.ts'
import { renderTimeline } from '../../../../functions/widget/timeline.ts'
import type { Update } from '../../observe/entries.ts'
import { LogPanel, part, patch } from './dom.ts'
import { History } from './history.ts'
import { describeNews, pictureOf } from './picture.ts'
import { Scroller } from './scroller.ts'
import {
  describeLeader,
  renderCandidates,
  renderCounters,
  renderLeaderFaults,
  renderSubject,
  renderTenures,
  renderVerdict,
} from './view.ts'

/** The line of the current time moves even if nothing happens. */
const REDRAW_MS = 250
/** A screen reader reads only the latest news. */
const NEWS_MS = 1_000

/** What a local run cannot know (`unknown`) or do (`forced`) is left out; and what servers, or ticks, cannot do. */
const OF_TICKS = { outcomes: ['leading', 'completed', 'failed', 'takenOver', 'released'], marks: MARK_KINDS } as const
const OF_SERVERS = {
  outcomes: ['leading', 'failed', 'takenOver', 'released', 'continued'],
  marks: MARK_KINDS.filter((kind) => kind !== 'tick' && kind !== 'failure'),
} as const

let history = new History()
/** How far the server's clock is ahead of the browser's. */
let offsetMs = 0
let isDue = false
let isScrolling = false
let drawnRevision = -1
let tallest = 0

/** All of it at once: words for every mark, and nothing below it moves. */
function drawLegend(): void {
  const { outcomes, marks } = history.isStanding ? OF_SERVERS : OF_TICKS
  patch('legend', html`${renderLegend(outcomes, CUSTOM_PROPERTIES)}${renderMarkLegend(marks, CUSTOM_PROPERTIES)}`)
}

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
  const fromMs = history.events[0]?.atMs ?? nowMs
  const window = scroller.windowFor(fromMs, nowMs, over === undefined ? (setup?.leaseMs ?? 0) : 0)
  const picture = pictureOf(history, window)
  part('picture').style.width = `${window.width}px`
  patch('picture', renderTimeline(picture, CUSTOM_PROPERTIES), !isScrolling)
  isScrolling = false
  tallest = Math.max(tallest, part('picture').offsetHeight)
  part('spacer').style.minHeight = `${tallest}px` // what is below it never moves up
  patch('leader', html`${describeLeader(history, nowMs)}`)
  part('follow').setAttribute('aria-pressed', String(scroller.isFollowing))
  if (drawnRevision !== history.revision) drawParts()
}

function drawParts(): void {
  drawnRevision = history.revision
  drawLegend()
  part<HTMLFieldSetElement>('faults').disabled = history.over !== undefined
  patch('subject', renderSubject(history))
  patch('counters', renderCounters(history))
  patch('verdict', renderVerdict(history))
  patch('leader-faults', renderLeaderFaults(history))
  patch('candidates', renderCandidates(history))
  patch('tenures', renderTenures(history))
}

/** Reconnects automatically. */
const feed = new EventSource('feed')
feed.addEventListener('open', () => showConnection(''))
feed.addEventListener('error', () =>
  showConnection(
    feed.readyState === feed.CLOSED
      ? 'The run rejects this page: open the address that the terminal shows last, or close other pages of the run.'
      : 'The run does not answer: it has ended, or it is about to return.',
  ),
)
feed.addEventListener('message', ({ data }: MessageEvent<string>) => {
  const { nowMs, isSnapshot, entries }: Update = JSON.parse(data)
  if (isSnapshot) {
    offsetMs = nowMs - Date.now()
    history = new History()
    drawnRevision = -1
  }
  history.fold(entries)
  if (history.over !== undefined) feed.close()
  requestDraw()
})

function showConnection(text: string): void {
  if (history.over === undefined) patch('connection', html`${text}`)
}

setInterval(() => {
  if (history.over === undefined) requestDraw()
}, REDRAW_MS)
setInterval(() => patch('news', html`${describeNews(history)}`), NEWS_MS)

/** @returns whether the fault was injected */
async function send(fault: string): Promise<boolean> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch('faults', { method: 'POST', headers, body: fault }).catch(() => undefined)
  const refusal = answer === undefined ? 'The run does not answer.' : answer.ok ? '' : `${await answer.text()}.`
  patch('refusal', html`${refusal}`)
  return refusal === ''
}

document.addEventListener('click', ({ target }) => {
  const clicked = target instanceof Element ? target.closest<HTMLElement>('[data-fault], [data-log]') : null
  const { fault, log } = clicked?.dataset ?? {}
  if (fault !== undefined) void send(fault)
  if (log !== undefined) logPanel.open(Number(log))
})
document.addEventListener('change', async ({ target }) => {
  if (!(target instanceof HTMLSelectElement)) return
  const fault = { do: 'skewClock', candidate: Number(target.dataset['skew']), ms: Number(target.value) }
  if (await send(JSON.stringify(fault))) return
  for (const option of target.options) option.selected = option.defaultSelected // the actual clock
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
