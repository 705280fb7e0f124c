/** What the page knows of the election: the latest entries of the feed. No markup, nothing of the browser. */
// @ts-nocheck

import type {
  CandidateEntry,
  Counts,
  Entry,
  EventEntry,
  FailedAttempt,
  LeaderEntry,
  Over,
  Setup,
  StandingCounts,
  TenureEntry,
} from '../../observe/entries.ts'

const NOTHING: Counts = {
  ...{ kind: 'counts', ticks: 0, completed: 0, completedTwice: 0, overdue: 0, staleRefused: 0, staleAccepted: 0 },
}

export class History {
  setup?: Setup
  counts: Counts = NOTHING
  standingCounts?: StandingCounts
  leader?: LeaderEntry
  over?: Over
  readonly candidates = new Map<number, CandidateEntry>()
  /** By number, in the order in which they began or failed. */
  readonly numbered = new Map<number, TenureEntry | FailedAttempt>()
  /** In the order of their times. */
  readonly events: EventEntry[] = []
  /** The latest one for a screen reader. */
  news?: EventEntry | TenureEntry
  revision = 0

  fold(entries: readonly Entry[]): void {
    for (const entry of entries) this.#foldOne(entry)
    this.revision += 1
  }

  /** Whether the candidates are servers that stay. */
  get isStanding(): boolean {
    return this.setup !== undefined && this.setup.periodMs === undefined
  }

  sortedCandidates(): readonly CandidateEntry[] {
    return [...this.candidates.values()].sort((a, b) => a.candidate - b.candidate)
  }

  tenures(): readonly TenureEntry[] {
    return [...this.numbered.values()].filter((one) => one.kind === 'tenure')
  }

  #foldOne(entry: Entry): void {
    switch (entry.kind) {
      case 'setup':
      case 'counts':
      case 'standingCounts':
      case 'leader':
      case 'over':
        Object.assign(this, { [entry.kind]: entry })
        break
      case 'candidate':
        this.candidates.set(entry.candidate, entry)
        break
      case 'tenure':
        if (isNews(entry, this.numbered.get(entry.number))) this.news = entry
        this.numbered.set(entry.number, entry)
        break
      default:
        this.#event(entry)
    }
  }

  #event(event: EventEntry): void {
    this.events.push(event)
    if (event.kind === 'failure') this.numbered.set(event.number, event)
    const isRoutine =
      event.kind === 'effect' ? event.verdict === 'accepted' : ['ticked', 'standby'].includes(event.kind)
    if (!isRoutine) this.news = event
  }
}

/** A tenure begins or ends. */
function isNews(tenure: TenureEntry, before: TenureEntry | FailedAttempt | undefined): boolean {
  return before?.kind !== 'tenure' || before.end !== tenure.end || before.doneAtMs !== tenure.doneAtMs
}
