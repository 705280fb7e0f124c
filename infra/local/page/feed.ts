/** Keeps the entries for pages that open late or reconnect, and sends new ones to all open pages. */
import type { Effect, Entry, EventEntry, StateEntry, Update } from '../observe/entries.ts'

export type Listener = (updates: readonly Update[]) => void

/** In the order in which a new page gets them. */
const STATE_KINDS: readonly Entry['kind'][] = ['setup', 'candidate', 'leader', 'counts', 'over']
/** About two thousand tenures. */
const KEPT_EVENTS = 24_000
/** Forgetting copies all events, so it waits until there are this many times more than are kept. */
const SLACK = 1.1
/** Equal effects within this time become one entry: the picture cannot show a hundred marks in one place. */
const BATCH_MS = 100

export class Feed {
  readonly #keptEvents: number
  readonly #states = new Map<string, StateEntry>()
  #events: EventEntry[] = []
  readonly #effects = new Map<string, Effect>()
  #timer: NodeJS.Timeout | undefined
  readonly #listeners = new Set<Listener>()

  constructor(keptEvents = KEPT_EVENTS) {
    this.#keptEvents = keptEvents
  }

  add(entry: Entry): void {
    if (entry.kind !== 'effect') {
      this.#flush()
      this.#send(entry)
      return
    }
    const key = JSON.stringify([entry.tenure, entry.verdict, entry.what])
    const first = this.#effects.get(key)
    this.#effects.set(key, first === undefined ? entry : { ...first, times: first.times + entry.times })
    this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS).unref()
  }

  /** Calls the listener at once with all kept entries, then with each new one, until it is disposed. */
  subscribe(listener: Listener): Disposable {
    this.#flush()
    const states = [...this.#states.values()].sort((a, b) => STATE_KINDS.indexOf(a.kind) - STATE_KINDS.indexOf(b.kind))
    listener([...states, ...this.#events])
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /** Before any other entry, so that entries stay in order. */
  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const effects = [...this.#effects.values()]
    this.#effects.clear()
    for (const effect of effects) this.#send(effect)
  }

  #send(entry: Entry): void {
    if (isState(entry)) {
      this.#states.set(entry.kind === 'candidate' ? `candidate ${entry.candidate}` : entry.kind, entry)
    } else this.#events.push(entry)
    this.#notify([entry])
    this.#forget()
  }

  #notify(updates: readonly Update[]): void {
    for (const listener of this.#listeners) listener(updates)
  }

  /** Whole tenures, if possible. */
  #forget(): void {
    if (this.#events.length <= this.#keptEvents * SLACK) return
    const least = this.#events.length - this.#keptEvents
    const first = this.#events.findIndex(({ kind }, index) => index >= least && kind === 'began')
    this.#events = this.#events.slice(first === -1 ? least : first)
    const [oldest] = this.#events
    if (oldest !== undefined) this.#notify([{ kind: 'forgotten', beforeMs: oldest.atMs }])
  }
}

const isState = (entry: Entry): entry is StateEntry => STATE_KINDS.includes(entry.kind)
