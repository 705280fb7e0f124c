/** The time line of the election: a lane for each candidate, one for the lease, one for effects. Pure. */
// @ts-nocheck

import { clockTime, instant, span } from '../../../../functions/widget/time-words.ts'
import { OUTCOME_NAMES } from '../../../../functions/widget/timeline/layout.ts'
import type { Bar, BarOutcome, Lane, Mark, Timeline } from '../../../../functions/widget/timeline.ts'
import type { EventEntry, TenureEntry } from '../../observe/entries.ts'
import type { History } from './history.ts'

export interface Window {
  readonly fromMs: number
  readonly toMs: number
  readonly nowMs: number
  /** In pixels. */
  readonly width: number
}

/** Tenures drawn as one bar: each but the last was handed over to the next. */
interface Work {
  readonly first: TenureEntry
  last: TenureEntry
  readonly joints: TenureEntry[]
}

/** Looks at each kept tenure and event once; draws only what is in the window. */
export function pictureOf(history: History, window: Window): Timeline {
  const { nowMs } = window
  const works = worksOf(history.tenures()).filter((work) => isIn(work, window))
  const events = history.events.filter(({ atMs }) => atMs >= window.fromMs && atMs < window.toMs)
  const knownFromMs = history.events[0]?.atMs ?? nowMs
  // Removed candidates keep their lanes.
  const candidates = history.sortedCandidates().map(({ candidate }): Lane => {
    const own = works.filter(({ last }) => last.candidate === candidate)
    const bars = own.map((work) => barOf(work, endOf(work.last), workOutcome(work.last), nowMs))
    const marks = events.filter((event) => 'candidate' in event && event.candidate === candidate && !isEffect(event))
    return { name: `candidate ${candidate}`, bars, marks: marks.map(markOf), knownFromMs }
  })
  // The row still names a leader that died, but its bar is not drawn as leading.
  const lease = works.map((work) => barOf(work, work.last.endedAtMs, work.last.end ?? workOutcome(work.last), nowMs))
  const ofAll = events.filter((one) => one.kind === 'ticked' || (one.kind === 'fault' && one.candidate === undefined))
  // Refused effects are drawn over accepted ones, and what no fence refused over both.
  const effects = VERDICTS.flatMap((verdict) => events.filter((event) => isEffect(event) && event.verdict === verdict))
  const leaseMarks = [...ofAll.map(markOf), ...works.flatMap(({ last }) => expiries(last, nowMs))]
  return {
    ...window,
    name: 'Election',
    spareRows: 2, // the bar of a frozen leader overlaps the next bar of its candidate
    lanes: [
      ...candidates,
      { name: 'lease', bars: lease, marks: leaseMarks, knownFromMs },
      { name: 'effects', bars: [], marks: effects.map(markOf), knownFromMs },
    ],
  }
}

const VERDICTS = ['accepted', 'refused', 'unguarded'] as const
const isEffect = (event: EventEntry) => event.kind === 'effect'

/** Bars are drawn wider than they are. */
const MIN_BAR_MS = 1_000

function worksOf(tenures: readonly TenureEntry[]): readonly Work[] {
  const works: Work[] = []
  const continued = new Map<string, Work>()
  for (const tenure of tenures) {
    const { candidate, token, end, successor } = tenure
    const work = continued.get(`${candidate} ${token}`)
    if (work === undefined) works.push({ first: tenure, last: tenure, joints: [] })
    else {
      work.joints.push(tenure)
      work.last = tenure
    }
    const current = work ?? works.at(-1)
    if (end === 'continued' && current !== undefined) continued.set(`${candidate} ${successor}`, current)
  }
  return works
}

function isIn({ first, last: { endedAtMs, doneAtMs } }: Work, window: Window): boolean {
  const endMs = endedAtMs === undefined || doneAtMs === undefined ? window.nowMs : Math.max(endedAtMs, doneAtMs)
  return first.atMs <= window.toMs && endMs + MIN_BAR_MS >= window.fromMs
}

const MARKS = { ticked: 'tick', standby: 'standby', failure: 'failure', fault: 'broken' } as const

function markOf(event: EventEntry): Mark {
  const kind = event.kind === 'effect' ? event.verdict : MARKS[event.kind]
  return { atMs: event.atMs, kind, title: `${describeEvent(event)}\n${clockTime(event.atMs, 'milliseconds')} UTC` }
}

function describeEvent(event: EventEntry): string {
  switch (event.kind) {
    case 'ticked':
      return `tick ${event.number}: ${event.tick}`
    case 'standby':
      return `stood by: ${event.reason}`
    case 'failure':
      return `failed: ${event.error.name}: ${event.error.message}`
    case 'fault':
      return event.description
    case 'effect': {
      const { verdict, candidate, token, times, what } = event
      const result =
        verdict === 'unguarded' ? 'accepted although another candidate leads, because no fence guards it' : verdict
      return `${times > 1 ? `${times} × ` : ''}${what}\n${result}, from candidate ${candidate} with token ${token}`
    }
  }
}

/** For a screen reader. */
export function describeNews({ news }: History): string {
  if (news === undefined) return ''
  const what = news.kind === 'tenure' ? describeOutcome(news) : describeEvent(news)
  return 'candidate' in news && news.candidate !== undefined ? `Candidate ${news.candidate}: ${what}` : what
}

/** When it stopped leading: its invocation ended, or another candidate leads; undefined while it leads. */
export function endOf({ endedAtMs, doneAtMs }: TenureEntry): number | undefined {
  if (endedAtMs === undefined || doneAtMs === undefined) return endedAtMs ?? doneAtMs
  return Math.min(endedAtMs, doneAtMs)
}

/** What its process did, whatever the row says. */
export function workOutcome({ end, endedAtMs, doneAtMs, error }: TenureEntry): BarOutcome {
  const diedFirst = error !== undefined && doneAtMs !== undefined && doneAtMs < (endedAtMs ?? Number.POSITIVE_INFINITY)
  return diedFirst ? 'failed' : (end ?? 'leading')
}

function barOf({ first, last, joints }: Work, toMs: number | undefined, outcome: BarOutcome, nowMs: number): Bar {
  const { number, token, candidate, tick, announcement, accepted, refused, unguarded, error, end, successor } = last
  const fromMs = first.atMs
  const title = [
    `${describeOutcome(last)}: candidate ${candidate}, token ${token}`,
    ...(tick === undefined ? [] : [`tick ${tick}`]),
    ...(announcement === undefined ? [] : [`proclaimed ${announcement}`]),
    `from ${clockTime(fromMs, 'milliseconds')} UTC, for ${span((endOf(last) ?? nowMs) - fromMs)}`,
    ...(joints.length === 0 ? [] : [`handed over ${joints.length} times; of the last part:`]),
    `${accepted} effects accepted, ${refused} refused`,
    ...(unguarded === 0 ? [] : [`${unguarded} accepted without a fence, after it was replaced`]),
    ...(error === undefined ? [] : [`${error.name}: ${error.message}`.slice(0, 300)]),
    ...(end === 'takenOver' ? [`taken over by token ${successor}`] : []),
  ].join('\n')
  const shortToken = `…${String(token).slice(-3)}` // the tokens of a run differ in their last digits
  const label = [shortToken, ...(tick === undefined ? [] : [tickTime(tick)])].join(' · ')
  const marks = joints.map(({ atMs, token }) => ({ atMs, title: `handed over to token ${token}` }))
  return { id: String(number), fromMs, ...(toMs === undefined ? {} : { toMs }), outcome, label, title, joints: marks }
}

export function describeOutcome(tenure: TenureEntry): string {
  const { end = 'leading' } = tenure
  if (workOutcome(tenure) !== 'failed' || end === 'failed') return OUTCOME_NAMES[end]
  return `failed, ${end === 'leading' ? 'the lease not released' : `then ${OUTCOME_NAMES[end]}`}`
}

export function tickTime(tick: string): string {
  const atMs = Date.parse(tick)
  return Number.isNaN(atMs) ? tick : instant(atMs, atMs)
}

/** Of a lease that was not released before it expired. */
function expiries({ token, expiresAtMs, endedAtMs }: TenureEntry, nowMs: number): readonly Mark[] {
  if (endedAtMs !== undefined && endedAtMs < expiresAtMs) return []
  const verb = expiresAtMs > nowMs ? 'expires' : 'expired'
  return [{ atMs: expiresAtMs, kind: 'expiry', title: `the lease of token ${token} ${verb}` }]
}

/** The tenures that a lease row names: more than one only if each candidate has a lease of its own. */
export const currentTenures = (history: History): readonly TenureEntry[] =>
  history.tenures().filter(({ end }) => end === undefined)

export const secondsOf = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
