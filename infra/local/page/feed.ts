/** Keeps what a page needs that comes late or comes back, and tells all that are there what is new. */
import {
  byKind,
  type Entry,
  type Happening,
  isStanding,
  KEPT_PER_TENURE,
  KEPT_TENURES,
  SLACK,
  type Standing,
} from '../observe/entries.ts'

export interface Feed {
  add(entry: Entry): void
  /** All that is kept, at once, then each new entry, until the subscription is disposed. */
  subscribe(listener: Listener): Disposable
}

export type Listener = (entries: readonly Entry[]) => void

export interface FeedOptions {
  /** @default {@link KEPT_TENURES} */
  readonly keptTenures?: number | undefined
  /** Where no tenure ever begins there is an end too. @default {@link KEPT_PER_TENURE} for each tenure that is kept */
  readonly keptEntries?: number | undefined
}

export function createFeed({
  keptTenures = KEPT_TENURES,
  keptEntries = keptTenures * KEPT_PER_TENURE,
}: FeedOptions = {}): Feed {
  const standing = new Map<string, Standing>()
  let happenings: Happening[] = []
  let tenures = 0
  const listeners = new Set<Listener>()

  const forget = () => {
    if (tenures <= keptTenures * SLACK && happenings.length <= keptEntries * SLACK) return
    const least = Math.max(0, happenings.length - keptEntries)
    let surplus = tenures - keptTenures
    const firstKept = happenings.findIndex(({ kind }, index) => kind === 'began' && surplus-- <= 0 && index >= least)
    happenings = happenings.slice(firstKept === -1 ? least : firstKept)
    tenures = happenings.filter(({ kind }) => kind === 'began').length
  }

  return {
    add: (entry) => {
      if (isStanding(entry)) {
        standing.set(entry.kind === 'candidate' ? `candidate ${entry.candidate}` : entry.kind, entry)
      } else {
        happenings.push(entry)
        if (entry.kind === 'began') tenures += 1
        forget()
      }
      for (const listener of listeners) listener([entry])
    },
    subscribe: (listener) => {
      listener([...[...standing.values()].sort(byKind), ...happenings])
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
  }
}
