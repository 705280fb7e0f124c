/** What the page knows of the election: the latest entries of the feed. No markup, nothing of the browser. */
import type {
  CandidateEntry,
  Counts,
  Entry,
  EventEntry,
  FailedAttempt,
  LeaderEntry,
  Over,
  Setup,
  TenureEntry,
  Update,
} from '../../observe/entries.ts'

export class History {
  setup?: Setup
  counts?: Counts
  leader?: LeaderEntry
  over?: Over
  readonly candidates = new Map<number, CandidateEntry>()
  /** By candidate. */
  readonly retries = new Map<number, Extract<Entry, { kind: 'retry' }>>()
  /** By number, in the order in which they began or failed. */
  numbered = new Map<number, TenureEntry | FailedAttempt>()
  /** In the order of their times. */
  events: EventEntry[] = []
  /** The time of the first event that is kept. */
  fromMs?: number
  tick?: string
  /** The latest one for a screen reader. */
  news?: EventEntry | TenureEntry
  revision = 0

  fold(updates: readonly Update[]): void {
    for (const update of updates) this.#foldOne(update)
    this.revision += 1
  }

  sortedCandidates(): readonly CandidateEntry[] {
    return [...this.candidates.values()].sort((a, b) => a.candidate - b.candidate)
  }

  tenures(): readonly TenureEntry[] {
    return [...this.numbered.values()].filter((one) => one.kind === 'tenure')
  }

  #foldOne(update: Update): void {
    switch (update.kind) {
      case 'setup':
      case 'counts':
      case 'leader':
      case 'over':
        Object.assign(this, { [update.kind]: update })
        break
      case 'candidate':
        this.candidates.set(update.candidate, update)
        break
      case 'retry':
        this.retries.set(update.candidate, update)
        break
      case 'tenure':
        if (isNews(update, this.numbered.get(update.number))) this.news = update
        this.numbered.set(update.number, update)
        break
      case 'forgotten':
        this.#forget(update.beforeMs)
        break
      default:
        this.#event(update)
    }
  }

  #event(event: EventEntry): void {
    this.fromMs ??= event.atMs
    this.events.push(event)
    if (event.kind === 'failure') this.numbered.set(event.number, event)
    if (event.kind === 'ticked') this.tick = event.tick
    else if (event.kind !== 'standby' && !('verdict' in event && event.verdict === 'accepted')) this.news = event
  }

  #forget(beforeMs: number): void {
    const isKept = ({ atMs }: TenureEntry | EventEntry) => atMs >= beforeMs
    this.numbered = new Map([...this.numbered].filter(([, one]) => isKept(one)))
    this.events = this.events.filter(isKept)
    this.fromMs = beforeMs
  }
}

/** A tenure begins or ends. */
function isNews(tenure: TenureEntry, before: TenureEntry | FailedAttempt | undefined): boolean {
  return before?.kind !== 'tenure' || before.end !== tenure.end || before.doneAtMs !== tenure.doneAtMs
}
