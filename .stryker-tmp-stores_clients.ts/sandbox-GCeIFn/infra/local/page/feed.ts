/** Keeps the entries for pages that open late or reconnect, and sends new ones to all open pages. */
// @ts-nocheck

import type { Effect, Entry, TenureEntry } from '../observe/entries.ts'

export type Listener = (entries: readonly Entry[], isSnapshot: boolean) => void

const STATES: readonly Entry['kind'][] = ['setup', 'leader', 'counts', 'standingCounts', 'over']
/** About two thousand tenures. */
const KEPT_ENTRIES = 24_000
/** Forgetting looks at all entries, so it waits until there are this many times more than are kept. */
const SLACK = 1.1
/** Equal effects within this time become one entry: the picture cannot show a hundred marks in one place. */
const BATCH_MS = 100

export class Feed {
  readonly #keptEntries: number
  /** The latest entry of each key, in the order of their first ones. */
  readonly #entries = new Map<string, Entry>()
  #events = 0
  readonly #batch = new Map<string, Effect | TenureEntry>()
  #timer: NodeJS.Timeout | undefined
  readonly #listeners = new Set<Listener>()

  constructor(keptEntries = KEPT_ENTRIES) {
    this.#keptEntries = keptEntries
  }

  add(entry: Entry): void {
    if (entry.kind !== 'effect' && entry.kind !== 'tenure') {
      this.#flush()
      this.#send([entry])
      return
    }
    const key = entry.kind === 'tenure' ? `${entry.number}` : JSON.stringify([entry.tenure, entry.verdict, entry.what])
    const first = this.#batch.get(key)
    const isRepeated = first?.kind === 'effect' && entry.kind === 'effect'
    this.#batch.set(key, isRepeated ? { ...first, times: first.times + entry.times } : entry)
    this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS).unref()
  }

  /** Calls the listener with all kept entries, at once and when old ones are dropped, and with each new one. */
  subscribe(listener: Listener): Disposable {
    this.#flush()
    listener([...this.#entries.values()], true)
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /** Before any other entry, so that entries stay in order. */
  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const batch = [...this.#batch.values()]
    this.#batch.clear()
    if (batch.length > 0) this.#send(batch)
  }

  #send(entries: readonly Entry[]): void {
    for (const entry of entries) this.#entries.set(this.#keyOf(entry), entry)
    this.#notify(entries, false)
    if (this.#entries.size <= this.#keptEntries * SLACK) return
    this.#forget()
    this.#notify([...this.#entries.values()], true)
  }

  #notify(...update: Parameters<Listener>): void {
    for (const listener of this.#listeners) listener(...update)
  }

  /** Of entries with the same key only the latest is kept. */
  #keyOf(entry: Entry): string {
    if (entry.kind === 'tenure') return `tenure ${entry.number}`
    if (entry.kind === 'candidate') return `candidate ${entry.candidate}`
    if (STATES.includes(entry.kind)) return entry.kind
    this.#events += 1
    return `event ${this.#events}`
  }

  #forget(): void {
    const history = [...this.#entries].filter(([key]) => /^(event|tenure) /.test(key))
    const excess = this.#entries.size - this.#keptEntries
    for (const [key] of history.slice(0, excess)) this.#entries.delete(key)
  }
}
