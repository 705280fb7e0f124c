/** The page's client of the server's events. It reconnects by itself if the connection is lost. */
import type { All, Entry } from '../../observe/entries.ts'

/** `refused`: the server does not take this page, and is not asked again: it is another run's, or has too many pages. */
export type Connection = 'open' | 'lost' | 'refused'

export interface Told {
  /** Everything that is kept; what was heard before is out of date. */
  all(entries: readonly Entry[], serverNowMs: number): void
  more(entries: readonly Entry[]): void
  connected(state: Connection): void
}

/** @returns closes it for good */
export function listen(told: Told): () => void {
  const source = new EventSource('feed')
  source.addEventListener('open', () => told.connected('open'))
  source.addEventListener('error', () => told.connected(source.readyState === source.CLOSED ? 'refused' : 'lost'))
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
