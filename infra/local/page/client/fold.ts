/**
 * Folds the entries of the feed, one after the other, into the history. It forgets like the feed does, so that a run of
 * days takes no more memory than one of an hour.
 */
import {
  type Began,
  type Done,
  type Effect,
  type Entry,
  type Happening,
  KEPT_PER_TENURE,
  KEPT_TENURES,
  SLACK,
} from '../../observe/entries.ts'
import type { History, Note, Tenure } from './history.ts'

/** Changes `history`. */
export function fold(history: History, entries: readonly Entry[], keptTenures = KEPT_TENURES): void {
  for (const entry of entries) {
    foldOne(history, entry)
    forget(history, keptTenures)
  }
  history.revision += 1
}

function foldOne(history: History, entry: Entry): void {
  switch (entry.kind) {
    case 'setup':
      history.setup = entry
      return
    case 'counts':
      history.counts = entry
      return
    case 'leader':
      history.leader = entry
      return
    case 'over':
      history.over = entry
      return
    case 'candidate':
      history.candidates.set(entry.candidate, entry)
      return
    default:
      happened(history, entry)
  }
}

function happened(history: History, entry: Happening): void {
  history.fromMs ??= entry.atMs
  switch (entry.kind) {
    case 'ticked':
      history.tick = entry.tick
      note(history, { atMs: entry.atMs, kind: 'tick', words: `tick ${entry.number}: ${entry.tick}` })
      break
    case 'woken':
      history.tries.set(entry.invocation, entry)
      history.retries.delete(requestOf(entry.invocation))
      break
    case 'done':
      done(history, entry)
      break
    case 'began':
      began(history, entry)
      break
    case 'renewed':
      change(history.byNumber.get(entry.tenure), { expiresAtMs: entry.expiresAtMs })
      break
    case 'ended':
      change(history.byNumber.get(entry.tenure), { end: entry.how, endedAtMs: entry.atMs })
      break
    case 'effect':
      effect(history, entry)
      break
    case 'broken': {
      const { atMs, candidate } = entry
      const words = `${candidate === undefined ? '' : `Candidate ${candidate}: `}${entry.words}`
      history.news = words
      note(history, { atMs, kind: 'broken', candidate, words })
    }
  }
}

const change = (tenure: Tenure | undefined, changed: Partial<Tenure>) => void Object.assign(tenure ?? {}, changed)

function began(
  history: History,
  { tenure: number, token, candidate, invocation, tick, atMs, expiresAtMs, replaced }: Began,
): void {
  const before = replaced === undefined ? undefined : history.byNumber.get(replaced)
  change(before, { end: 'takenOver', endedAtMs: atMs, successor: token })
  const tenure: Tenure = { number, token, candidate, tick, fromMs: atMs, expiresAtMs, accepted: 0, refused: 0 }
  history.tenures.push(tenure)
  history.byNumber.set(number, tenure)
  history.leading.set(invocation, tenure)
  history.news = `Candidate ${candidate} ${before === undefined ? 'leads' : 'took over'}`
}

/** An invocation is a request and the number of its try. */
const requestOf = (invocation: string) => invocation.replace(/\/\d+$/, '')

function done(history: History, { atMs, candidate, invocation, status, reason, error, retryAtMs }: Done): void {
  const { tries, leading } = history
  const [one, tenure] = [tries.get(invocation), leading.get(invocation)]
  tries.delete(invocation)
  leading.delete(invocation)
  if (retryAtMs !== undefined)
    history.retries.set(requestOf(invocation), { candidate, tick: one?.tick, atMs: retryAtMs })
  if (tenure !== undefined) {
    change(tenure, { doneAtMs: atMs, ...(error === undefined ? {} : { error }) })
    history.news = `Candidate ${candidate} ${status}`
  } else if (status === 'standby') {
    note(history, { atMs, kind: 'standby', candidate, words: `stood by: ${reason ?? 'no reason given'}` })
  } else if (error !== undefined) {
    history.failedTries.push({ atMs, candidate, invocation, tick: one?.tick, error })
    note(history, { atMs, kind: 'failure', candidate, words: `failed: ${error.name}: ${error.message}` })
    history.news = `Candidate ${candidate} failed without leading`
  }
}

function effect(history: History, { atMs, tenure: number, token, candidate, verdict, what, times }: Effect): void {
  const tenure = history.byNumber.get(number)
  if (tenure !== undefined) tenure[verdict] += times
  const words = `${times > 1 ? `${times} × ` : ''}${what}\n${verdict}, from candidate ${candidate} with token ${token}`
  note(history, { atMs, kind: verdict, words })
  if (verdict === 'refused') history.news = `Refused: ${what} of candidate ${candidate}, which has been replaced`
}

/** Effects are told together, a moment late: each finds its place. */
function note({ notes }: History, one: Note): void {
  let place = notes.length
  while (place > 0 && (notes[place - 1]?.atMs ?? 0) > one.atMs) place -= 1
  if (place === notes.length) notes.push(one)
  else notes.splice(place, 0, one)
}

function forget(history: History, keptTenures: number): void {
  const { tenures, notes, byNumber } = history
  const keptNotes = keptTenures * KEPT_PER_TENURE
  if (tenures.length <= keptTenures * SLACK && notes.length <= keptNotes * SLACK) return
  const firstTenureMs = tenures.length > keptTenures ? tenures.at(-keptTenures)?.fromMs : undefined
  const firstNoteMs = notes.length > keptNotes ? notes.at(-keptNotes)?.atMs : undefined
  const fromMs = Math.max(firstTenureMs ?? 0, firstNoteMs ?? 0)
  for (const { number, fromMs: beganAtMs } of tenures) if (beganAtMs < fromMs) byNumber.delete(number)
  history.tenures = tenures.filter((tenure) => tenure.fromMs >= fromMs)
  history.failedTries = history.failedTries.filter(({ atMs }) => atMs >= fromMs)
  history.notes = notes.filter(({ atMs }) => atMs >= fromMs)
  history.fromMs = fromMs
  history.hasForgotten = true
}
