/** The time line of the election: a lane for each candidate, one for the lease, one for effects. Pure. */
import { clockTime, instant, span } from '../../../../functions/widget/time-words.ts'
import { OUTCOME_NAMES } from '../../../../functions/widget/timeline/layout.ts'
import type { Bar, BarOutcome, Mark, Timeline } from '../../../../functions/widget/timeline.ts'
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
  // Removed candidates keep their lanes.
  const candidates = history.sortedCandidates().map(({ candidate }) => ({
    name: `candidate ${candidate}`,
    bars: visible
      .filter((tenure) => tenure.candidate === candidate)
      .map((tenure) => barOf(tenure, endOf(tenure), workOutcome(tenure), nowMs)),
    marks: marksOf(notes.filter((note) => note.candidate === candidate)),
  }))
  // The row still names a leader that died, but its bar is not drawn as leading.
  const bars = visible.map((tenure) => barOf(tenure, tenure.endedAtMs, tenure.end ?? workOutcome(tenure), nowMs))
  const ofAll = notes.filter(({ kind, candidate }) => kind === 'tick' || (kind === 'broken' && candidate === undefined))
  const lease = { name: leaseName(history, nowMs), bars, marks: [...marksOf(ofAll), ...expiries(visible, nowMs)] }
  // Refused effects are drawn over accepted ones.
  const effects = (['accepted', 'refused'] as const).flatMap((verdict) => notes.filter(({ kind }) => kind === verdict))
  const lanes = [...candidates, lease, { name: 'effects', bars: [], marks: marksOf(effects) }]
  return { ...window, name: 'Election', lanes: lanes.map((lane) => ({ ...lane, knownFromMs })) }
}

/** Bars are drawn wider than they are. */
const MIN_BAR_MS = 1_000

function isIn({ fromMs, endedAtMs, doneAtMs }: Tenure, window: Window): boolean {
  const endMs = endedAtMs === undefined || doneAtMs === undefined ? window.nowMs : Math.max(endedAtMs, doneAtMs)
  return fromMs <= window.toMs && endMs + MIN_BAR_MS >= window.fromMs
}

/** Notes are in the order of their times. */
function notesIn(notes: readonly Note[], { fromMs, toMs }: Window): readonly Note[] {
  const first = notes.findIndex(({ atMs }) => atMs >= fromMs)
  return first === -1 ? [] : notes.slice(first, notes.findLastIndex(({ atMs }) => atMs < toMs) + 1)
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
  const { number, token, candidate, tick, fromMs, accepted, refused, error, successor } = tenure
  const title = [
    `${describeOutcome(tenure)}: candidate ${candidate}, token ${token}`,
    ...(tick === undefined ? [] : [`tick ${tick}`]),
    `from ${clockTime(fromMs, 'milliseconds')} UTC, for ${span((endOf(tenure) ?? nowMs) - fromMs)}`,
    `${accepted} effects accepted, ${refused} refused`,
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
