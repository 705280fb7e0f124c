/** The page's ear: the server's events. It comes again by itself where the connection is lost. */
import type { All, Entry } from '../entries.ts'

export interface Told {
  /** Everything that is kept; what was heard before is out of date. */
  all(entries: readonly Entry[], serverNowMs: number): void
  more(entries: readonly Entry[]): void
  connected(isConnected: boolean): void
}

/** @returns closes it for good */
export function listen(told: Told): () => void {
  const source = new EventSource('/feed')
  source.addEventListener('open', () => told.connected(true))
  source.addEventListener('error', () => told.connected(false))
  source.addEventListener('all', ({ data }: MessageEvent<string>) => {
    const { nowMs, entries }: All = JSON.parse(data)
    told.all(entries, nowMs)
  })
  source.addEventListener('more', ({ data }: MessageEvent<string>) => {
    const entries: readonly Entry[] = JSON.parse(data)
    told.more(entries)
  })
  return () => source.close()
}
