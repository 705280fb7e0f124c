import { setTimeout as sleep } from 'node:timers/promises'

/** One look: whether it is what was awaited, and what there was to see. */
export interface Look<T> {
  readonly done: boolean
  readonly seen: T
}

/**
 * Looks again and again until it is done.
 *
 * @param what goes on where "waited for:" stands
 * @returns what was seen at last
 * @throws Error that says what was awaited, for how long, and what was last seen; and what `look` throws, at once
 */
export async function until<T>(
  what: string,
  look: () => Promise<Look<T>>,
  { withinMs = 60_000, everyMs = 150 }: { readonly withinMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const giveUpAt = performance.now() + withinMs
  while (true) {
    const { done, seen } = await look()
    if (done) return seen
    if (performance.now() > giveUpAt) {
      throw new Error(`Waited for: ${what}. After ${withinMs / 1000} s the last that was seen was ${shown(seen)}`)
    }
    await sleep(everyMs)
  }
}

function shown(seen: unknown): string {
  return typeof seen === 'string' ? seen : (JSON.stringify(seen) ?? 'nothing')
}
