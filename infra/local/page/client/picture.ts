/** The time line of the election: a lane for each candidate, one for the lease, one for what the task works on. Pure. */
import { clockTime, instant, span } from '../../../../functions/widget/time-words.ts'
import type { Bar, BarOutcome, Lane, Mark, Timeline } from '../../../../functions/widget/timeline.ts'
import { candidatesOf, type History, type Note, type Tenure } from './history.ts'

export interface Window {
  readonly fromMs: number
  readonly toMs: number
  readonly nowMs: number
  /** In pixels. */
  readonly width: number
}

/** One look at each tenure that is kept; what is made is bounded by what is in the window. */
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

  // Also of those that are gone: what was done to them stays in the picture.
  const candidates = candidatesOf(history).map(({ candidate }) => {
    const own = visible.filter((tenure) => tenure.candidate === candidate)
    const marks = notes.filter((note) => note.candidate === candidate)
    return lane(
      `candidate ${candidate}`,
      own.map((tenure) => candidateBar(tenure, nowMs)),
      marksOf(marks),
    )
  })
  const lease = visible.map((tenure) => leaseBar(tenure, nowMs))
  const ofAll = notes.filter(({ kind, candidate }) => kind === 'tick' || (kind === 'broken' && candidate === undefined))
  const ofLease = [...marksOf(ofAll), ...expiries(visible, nowMs)]
  // What was refused is what one looks for: it is drawn over what was accepted.
  const effects = (['accepted', 'refused'] as const).flatMap((verdict) => notes.filter(({ kind }) => kind === verdict))
  return {
    ...window,
    name: 'Election',
    lanes: [...candidates, lane(leaseName(history, nowMs), lease, ofLease), lane('effects', [], marksOf(effects))],
  }
}

/** A moment of room, since bars are drawn wider than they are. */
const LEAST_MS = 1_000

function isIn({ fromMs, endedAtMs, doneAtMs }: Tenure, window: Window): boolean {
  const endMs = endedAtMs === undefined || doneAtMs === undefined ? window.nowMs : Math.max(endedAtMs, doneAtMs)
  return fromMs <= window.toMs && endMs + LEAST_MS >= window.fromMs
}

function notesIn(notes: readonly Note[], { fromMs, toMs }: Window): readonly Note[] {
  return notes.slice(firstFrom(notes, fromMs), firstFrom(notes, toMs))
}

/** The place of the first that is not before this instant. */
function firstFrom(notes: readonly Note[], ms: number): number {
  let [low, high] = [0, notes.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((notes[middle]?.atMs ?? 0) < ms) low = middle + 1
    else high = middle
  }
  return low
}

const marksOf = (notes: readonly Note[]): readonly Mark[] =>
  notes.map(({ atMs, kind, words }) => ({ atMs, kind, title: `${words}\n${clockTime(atMs, 'milliseconds')} UTC` }))

/** When it led no longer: its process had ended, or another led; undefined while it lasts. */
export function endOf({ endedAtMs, doneAtMs }: Tenure): number | undefined {
  if (endedAtMs === undefined || doneAtMs === undefined) return endedAtMs ?? doneAtMs
  return Math.min(endedAtMs, doneAtMs)
}

/** What its process did. */
const candidateBar = (tenure: Tenure, nowMs: number): Bar => barOf(tenure, endOf(tenure), workOutcome(tenure), nowMs)

/** As its candidate's lane colours it. */
export function workOutcome({ end, endedAtMs, doneAtMs, error }: Tenure): BarOutcome {
  const diedFirst = error !== undefined && doneAtMs !== undefined && doneAtMs < (endedAtMs ?? Number.POSITIVE_INFINITY)
  return diedFirst ? 'failed' : (end ?? 'leading')
}

/** What the lease row says; of a leader that is gone it still says that it leads, which is no reason to draw it so. */
function leaseBar(tenure: Tenure, nowMs: number): Bar {
  return barOf(tenure, tenure.endedAtMs, tenure.end ?? workOutcome(tenure), nowMs)
}

function barOf(tenure: Tenure, toMs: number | undefined, outcome: BarOutcome, nowMs: number): Bar {
  const label = [shortToken(tenure.token), ...(tenure.tick === undefined ? [] : [tickTime(tenure.tick)])].join(' · ')
  const end = toMs === undefined ? {} : { toMs }
  return { id: String(tenure.number), fromMs: tenure.fromMs, ...end, outcome, label, title: tenureTitle(tenure, nowMs) }
}

function tenureTitle(tenure: Tenure, nowMs: number): string {
  const { token, candidate, tick, fromMs, accepted, refused, error, successor } = tenure
  return [
    `${outcomeWords(tenure)}: candidate ${candidate}, token ${token}`,
    ...(tick === undefined ? [] : [`tick ${tick}`]),
    `from ${clockTime(fromMs, 'milliseconds')} UTC, for ${span((endOf(tenure) ?? nowMs) - fromMs)}`,
    `${accepted} effects accepted, ${refused} refused`,
    ...(error === undefined ? [] : [`${error.name}: ${error.message}`.slice(0, 300)]),
    ...(successor === undefined ? [] : [`taken over by token ${successor}`]),
  ].join('\n')
}

const WORDS: Readonly<Record<NonNullable<Tenure['end']> | 'leading', string>> = {
  leading: 'leading',
  completed: 'completed',
  released: 'released',
  failed: 'failed',
  takenOver: 'taken over',
}

/** Such as `completed`, `failed, then taken over`. */
export function outcomeWords(tenure: Tenure): string {
  const { end = 'leading' } = tenure
  const died = workOutcome(tenure) === 'failed' && end !== 'failed'
  return died ? `failed, ${end === 'leading' ? 'the lease not given up' : `then ${WORDS[end]}`}` : WORDS[end]
}

/** The tokens of a run differ in their last digits. */
export const shortToken = (token: number): string => `…${String(token).slice(-3)}`

export function tickTime(tick: string): string {
  const atMs = Date.parse(tick)
  return Number.isNaN(atMs) ? tick : instant(atMs, atMs)
}

/** When leases will run out, or ran out before anybody took over. */
function expiries(tenures: readonly Tenure[], nowMs: number): readonly Mark[] {
  return tenures.flatMap(({ token, expiresAtMs, endedAtMs }) =>
    endedAtMs !== undefined && endedAtMs < expiresAtMs
      ? []
      : [
          {
            atMs: expiresAtMs,
            kind: 'expiry' as const,
            title: `the lease of token ${token} ${expiresAtMs > nowMs ? 'runs' : 'ran'} out`,
          },
        ],
  )
}

/** The tenures that a lease row names: one, unless every candidate was given a lease of its own. */
export const currentsOf = ({ tenures }: History): readonly Tenure[] =>
  tenures.slice(-MOST_LEASES).filter(({ end }) => end === undefined)

const MOST_LEASES = 10

export const secondsOf = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

function leaseName(history: History, nowMs: number): string {
  const [current, other] = currentsOf(history)
  if (current === undefined || history.over !== undefined) return 'lease'
  if (other !== undefined) return 'leases'
  const leftMs = current.expiresAtMs - nowMs
  return leftMs > 0 ? `lease, ${secondsOf(leftMs)}` : 'lease, run out'
}
