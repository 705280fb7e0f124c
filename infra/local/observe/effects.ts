/** Tells of effects that come thick together: a picture cannot show a hundred in one place, and a page need not hear of each. */
import type { Effect, Entry } from './entries.ts'

export interface Effects {
  add(effect: Omit<Effect, 'kind' | 'atMs' | 'times'>): void
  /** Tells of all that were added, now. */
  flush(): void
}

/** Effects within so many milliseconds are told together. */
const TOGETHER_MS = 100

export function createEffects(add: (entry: Entry) => void, now: () => number): Effects {
  const pending = new Map<string, Effect>()
  let timer: NodeJS.Timeout | undefined
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    for (const effect of pending.values()) add(effect)
    pending.clear()
  }
  return {
    add: (effect) => {
      const key = JSON.stringify(effect)
      const known = pending.get(key)
      pending.set(key, { kind: 'effect', ...effect, atMs: known?.atMs ?? now(), times: (known?.times ?? 0) + 1 })
      timer ??= setTimeout(flush, TOGETHER_MS).unref()
    },
    flush,
  }
}
