/** The time line of the election: a lane for each candidate, one for the lease, one for effects. Pure. */
import { clockTime, instant, span } from '../../../../functions/widget/time-words.ts'
import { OUTCOME_NAMES } from '../../../../functions/widget/timeline/layout.ts'
import type { Bar, BarOutcome, Lane, Mark, Timeline } from '../../../../functions/widget/timeline.ts'
import type { History, Note, Tenure } from './history.ts'

export interface Window {
  readonly fromMs: number
  readonly toMs: number
  readonly nowMs: number
  /** In pixels. */
  readonly width: number
}

/** Looks at each kept tenure once; draws only what is in the window. */
export function pictureOf(history: History, window: Window): Timeline {
  const { nowMs } = window
  const visible = history.tenures.filter((tenure) => isIn(tenure, window))
  const notes = notesIn(history.notes, window)
  const knownFromMs = history.fromMs ?? nowMs
  const lane = (name: string, bars: readonly Bar[], marks: readonly Mark[]): Lane => ({
    name,
    bars,
    marks,
    knownFromMs,
  })

  // Removed candidates keep their lanes.
  const candidates = history.sortedCandidates().map(({ candidate }) => {
    const bars = visible.filter((tenure) => tenure.candidate === candidate)
    const marks = notes.filter((note) => note.candidate === candidate)
    return lane(
      `candidate ${candidate}`,
      bars.map((tenure) => barOf(tenure, endOf(tenure), workOutcome(tenure), nowMs)),
      marksOf(marks),
    )
  })
  // The row still names a leader that died, but its bar is not drawn as leading.
  const lease = visible.map((tenure) => barOf(tenure, tenure.endedAtMs, tenure.end ?? workOutcome(tenure), nowMs))
  const ofAll = notes.filter(({ kind, candidate }) => kind === 'tick' || (kind === 'broken' && candidate === undefined))
  // Refused effects are drawn over accepted ones, and what no fence refused over both.
  const effects = (['accepted', 'refused', 'unguarded'] as const).flatMap((verdict) =>
    notes.filter(({ kind }) => kind === verdict),
  )
  return {
    ...window,
    name: 'Election',
    spareRows: 2, // the bar of a frozen leader overlaps the next bar of its candidate
    lanes: [
      ...candidates,
      lane(leaseName(history, nowMs), lease, [...marksOf(ofAll), ...expiries(visible, nowMs)]),
      lane('effects', [], marksOf(effects)),
    ],
  }
}

/** Bars are drawn wider than they are. */
const MIN_BAR_MS = 1_000

function isIn({ fromMs, endedAtMs, doneAtMs }: Tenure, window: Window): boolean {
  const endMs = endedAtMs === undefined || doneAtMs === undefined ? window.nowMs : Math.max(endedAtMs, doneAtMs)
  return fromMs <= window.toMs && endMs + MIN_BAR_MS >= window.fromMs
}

/** By binary search: notes are in the order of their times. */
function notesIn(notes: readonly Note[], { fromMs, toMs }: Window): readonly Note[] {
  const firstFrom = (ms: number) => {
    let [low, high] = [0, notes.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((notes[middle]?.atMs ?? 0) < ms) low = middle + 1
      else high = middle
    }
    return low
  }
  return notes.slice(firstFrom(fromMs), firstFrom(toMs))
}

const marksOf = (notes: readonly Note[]): readonly Mark[] =>
  notes.map(({ atMs, kind, description }) => ({
    ...{ atMs, kind },
    title: `${description}\n${clockTime(atMs, 'milliseconds')} UTC`,
  }))

/** When it stopped leading: its invocation ended, or another candidate leads; undefined while it leads. */
export function endOf({ endedAtMs, doneAtMs }: Tenure): number | undefined {
  if (endedAtMs === undefined || doneAtMs === undefined) return endedAtMs ?? doneAtMs
  return Math.min(endedAtMs, doneAtMs)
}

/** What its process did, whatever the row says. */
export function workOutcome({ end, endedAtMs, doneAtMs, error }: Tenure): BarOutcome {
  const diedFirst = error !== undefined && doneAtMs !== undefined && doneAtMs < (endedAtMs ?? Number.POSITIVE_INFINITY)
  return diedFirst ? 'failed' : (end ?? 'leading')
}

function barOf(tenure: Tenure, toMs: number | undefined, outcome: BarOutcome, nowMs: number): Bar {
  const { number, token, candidate, tick, fromMs, accepted, refused, unguarded, error, successor } = tenure
  const title = [
    `${describeOutcome(tenure)}: candidate ${candidate}, token ${token}`,
    ...(tick === undefined ? [] : [`tick ${tick}`]),
    `from ${clockTime(fromMs, 'milliseconds')} UTC, for ${span((endOf(tenure) ?? nowMs) - fromMs)}`,
    `${accepted} effects accepted, ${refused} refused`,
    ...(unguarded === 0 ? [] : [`${unguarded} accepted without a fence, after it was replaced`]),
    ...(error === undefined ? [] : [`${error.name}: ${error.message}`.slice(0, 300)]),
    ...(successor === undefined ? [] : [`taken over by token ${successor}`]),
  ].join('\n')
  const shortToken = `…${String(token).slice(-3)}` // the tokens of a run differ in their last digits
  const label = [shortToken, ...(tick === undefined ? [] : [tickTime(tick)])].join(' · ')
  return { id: String(number), fromMs, ...(toMs === undefined ? {} : { toMs }), outcome, label, title }
}

/** Such as `completed`, `failed, then taken over`. */
export function describeOutcome(tenure: Tenure): string {
  const { end = 'leading' } = tenure
  if (workOutcome(tenure) !== 'failed' || end === 'failed') return OUTCOME_NAMES[end]
  return `failed, ${end === 'leading' ? 'the lease not released' : `then ${OUTCOME_NAMES[end]}`}`
}

export function tickTime(tick: string): string {
  const atMs = Date.parse(tick)
  return Number.isNaN(atMs) ? tick : instant(atMs, atMs)
}

/** Of leases that were not released before they expired. */
function expiries(tenures: readonly Tenure[], nowMs: number): readonly Mark[] {
  return tenures
    .filter(({ expiresAtMs, endedAtMs = Number.POSITIVE_INFINITY }) => endedAtMs >= expiresAtMs)
    .map(({ token, expiresAtMs }) => {
      const verb = expiresAtMs > nowMs ? 'expires' : 'expired'
      return { atMs: expiresAtMs, kind: 'expiry', title: `the lease of token ${token} ${verb}` }
    })
}

const MAX_LEASES = 10

/** The tenures that a lease row names: more than one only if each candidate has a lease of its own. */
export const currentTenures = ({ tenures }: History): readonly Tenure[] =>
  tenures.slice(-MAX_LEASES).filter(({ end }) => end === undefined)

export const secondsOf = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

function leaseName(history: History, nowMs: number): string {
  const [current, other] = currentTenures(history)
  if (current === undefined || history.over !== undefined) return 'lease'
  if (other !== undefined) return 'leases'
  const leftMs = current.expiresAtMs - nowMs
  return leftMs > 0 ? `lease, ${secondsOf(leftMs)}` : 'lease, expired'
}
