/** What the page knows of the election, folded from the entries of the feed: no markup, nothing of the browser. */
import type {
  Began,
  CandidateEntry,
  Counts,
  Done,
  Effect,
  EventEntry,
  LeaderEntry,
  Over,
  Setup,
  TenureEnd,
  Update,
} from '../../observe/entries.ts'

export interface Tenure {
  readonly number: number
  readonly token: number
  readonly candidate: number
  readonly tick?: string | undefined
  readonly fromMs: number
  expiresAtMs: number
  /** How and when it ended in the lease row; absent while the row names it. */
  end?: TenureEnd
  endedAtMs?: number
  successor?: number
  /** When its invocation ended, with or without the row. */
  doneAtMs?: number
  error?: Done['error']
  accepted: number
  refused: number
  unguarded: number
}

/** An attempt that failed without having led. */
export interface FailedAttempt {
  readonly atMs: number
  readonly candidate: number
  readonly invocation: string
  readonly tick: string | undefined
  readonly error: NonNullable<Done['error']>
}

/** Drawn as a mark. */
export interface Note {
  readonly atMs: number
  readonly kind: 'tick' | 'standby' | 'failure' | 'accepted' | 'refused' | 'unguarded' | 'broken'
  /** Absent for a note outside the candidates' lanes. */
  readonly candidate?: number | undefined
  readonly description: string
}

export class History {
  setup?: Setup
  counts?: Counts
  leader?: LeaderEntry
  over?: Over
  readonly candidates = new Map<number, CandidateEntry>()
  /** In the order in which they began. */
  tenures: Tenure[] = []
  readonly byNumber = new Map<number, Tenure>()
  failedAttempts: FailedAttempt[] = []
  notes: Note[] = []
  /** The time of the first event that is kept. */
  fromMs?: number
  /** The retries that Lambda has scheduled, by request. */
  readonly retries = new Map<string, { readonly candidate: number; readonly tick?: string; readonly atMs: number }>()
  tick?: string
  /** The latest event, for a screen reader: a sentence without its full stop. */
  news = ''
  revision = 0
  /** The running attempts, by invocation; with a tenure if they lead. */
  readonly #running = new Map<string, { readonly tick?: string | undefined; readonly tenure?: Tenure }>()

  fold(updates: readonly Update[]): void {
    for (const update of updates) this.#foldOne(update)
    this.revision += 1
  }

  sortedCandidates(): readonly CandidateEntry[] {
    return [...this.candidates.values()].sort((a, b) => a.candidate - b.candidate)
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
      case 'forgotten':
        this.#forget(update.beforeMs)
        break
      default:
        this.fromMs ??= update.atMs
        this.#foldEvent(update)
    }
  }

  #foldEvent(entry: EventEntry): void {
    const { atMs } = entry
    switch (entry.kind) {
      case 'ticked':
        this.tick = entry.tick
        this.notes.push({ atMs, kind: 'tick', description: `tick ${entry.number}: ${entry.tick}` })
        break
      case 'invoked':
        this.#running.set(entry.invocation, { tick: entry.tick })
        this.retries.delete(requestOf(entry.invocation))
        break
      case 'done':
        this.#done(entry)
        break
      case 'began':
        this.#began(entry)
        break
      case 'renewed':
        change(this.byNumber.get(entry.tenure), { expiresAtMs: entry.expiresAtMs })
        break
      case 'ended':
        change(this.byNumber.get(entry.tenure), { end: entry.how, endedAtMs: atMs })
        break
      case 'effect':
        this.#effect(entry)
        break
      case 'fault': {
        const { candidate } = entry
        const description = `${candidate === undefined ? '' : `Candidate ${candidate}: `}${entry.description}`
        this.news = description
        this.notes.push({ atMs, kind: 'broken', candidate, description })
      }
    }
  }

  #began({ tenure: number, token, candidate, invocation, tick, atMs, expiresAtMs, replaced }: Began): void {
    const before = replaced === undefined ? undefined : this.byNumber.get(replaced)
    change(before, { end: 'takenOver', endedAtMs: atMs, successor: token })
    const tenure: Tenure = { number, token, candidate, tick, fromMs: atMs, expiresAtMs, ...NO_EFFECTS }
    this.tenures.push(tenure)
    this.byNumber.set(number, tenure)
    this.#running.set(invocation, { ...this.#running.get(invocation), tenure })
    this.news = `Candidate ${candidate} ${before === undefined ? 'leads' : 'took over'}`
  }

  #done({ atMs, candidate, invocation, status, reason, error, retryAtMs }: Done): void {
    const { tick, tenure } = this.#running.get(invocation) ?? {}
    this.#running.delete(invocation)
    if (retryAtMs !== undefined) {
      this.retries.set(requestOf(invocation), { candidate, ...(tick === undefined ? {} : { tick }), atMs: retryAtMs })
    }
    if (tenure !== undefined) {
      change(tenure, { doneAtMs: atMs, ...(error === undefined ? {} : { error }) })
      this.news = `Candidate ${candidate} ${status}`
    } else if (status === 'standby') {
      this.notes.push({ atMs, kind: 'standby', candidate, description: `stood by: ${reason ?? 'no reason given'}` })
    } else if (error !== undefined) {
      this.failedAttempts.push({ atMs, candidate, invocation, tick, error })
      this.notes.push({ atMs, kind: 'failure', candidate, description: `failed: ${error.name}: ${error.message}` })
      this.news = `Candidate ${candidate} failed without leading`
    }
  }

  #effect({ atMs, tenure: number, token, candidate, verdict, what, times }: Effect): void {
    const tenure = this.byNumber.get(number)
    if (tenure !== undefined) tenure[verdict] += times
    const count = times > 1 ? `${times} × ` : ''
    const result = verdict === 'unguarded' ? WITHOUT_FENCE : verdict
    const description = `${count}${what}\n${result}, from candidate ${candidate} with token ${token}`
    this.notes.push({ atMs, kind: verdict, description })
    if (verdict === 'refused') this.news = `Refused: ${what} of candidate ${candidate}, which has been replaced`
    if (verdict === 'unguarded') this.news = `Accepted without a fence: ${what} of candidate ${candidate}, replaced`
  }

  #forget(beforeMs: number): void {
    this.tenures = this.tenures.filter(({ fromMs }) => fromMs >= beforeMs)
    this.byNumber.clear()
    for (const tenure of this.tenures) this.byNumber.set(tenure.number, tenure)
    this.failedAttempts = this.failedAttempts.filter(({ atMs }) => atMs >= beforeMs)
    this.notes = this.notes.filter(({ atMs }) => atMs >= beforeMs)
    this.fromMs = beforeMs
  }
}

const NO_EFFECTS = { accepted: 0, refused: 0, unguarded: 0 }

/** `unguarded` in words. */
const WITHOUT_FENCE = 'accepted although another candidate leads, because no fence guards it'

const change = (tenure: Tenure | undefined, changes: Partial<Tenure>) => void Object.assign(tenure ?? {}, changes)

/** An invocation is a request id and the number of the retry. */
const requestOf = (invocation: string) => invocation.replace(/\/\d+$/, '')
