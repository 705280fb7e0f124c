/** The page's requests to the run: it listens to the feed, and sends faults. */
import type { Snapshot, Update } from '../../observe/entries.ts'

/** `refused`: the server rejects this page, so it stops trying; another run serves here, or too many pages are open. */
export type ConnectionState = 'open' | 'lost' | 'refused'

export interface FeedListener {
  /** Replaces everything received before. */
  snapshot(snapshot: Snapshot): void
  more(updates: readonly Update[]): void
  connection(state: ConnectionState): void
}

/** Reconnects automatically. @returns a function that closes the connection */
export function listen(listener: FeedListener): () => void {
  const source = new EventSource('feed')
  source.addEventListener('open', () => listener.connection('open'))
  source.addEventListener('error', () => listener.connection(source.readyState === source.CLOSED ? 'refused' : 'lost'))
  source.addEventListener('snapshot', ({ data }: MessageEvent<string>) => listener.snapshot(JSON.parse(data)))
  source.addEventListener('more', ({ data }: MessageEvent<string>) => listener.more(JSON.parse(data)))
  return () => source.close()
}

/** @param onRefusal is called with the reason, and with an empty text after a success */
export function sendFaults(onRefusal: (reason: string) => void): void {
  const send = async (body: string): Promise<boolean> => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch('faults', { method: 'POST', headers, body }).catch(() => undefined)
    if (answer === undefined) onRefusal('The run does not answer.')
    else onRefusal(answer.ok ? '' : `${await answer.text()}.`)
    return answer?.ok === true
  }
  document.addEventListener('click', ({ target }) => {
    const fault = target instanceof Element ? target.closest<HTMLElement>('[data-fault]')?.dataset['fault'] : undefined
    if (fault !== undefined) void send(fault)
  })
  document.addEventListener('change', ({ target }) => {
    if (!(target instanceof HTMLSelectElement)) return
    const candidate = target.dataset['skew']
    if (candidate === undefined) return
    const fault = { do: 'skewClock', candidate: Number(candidate), ms: Number(target.value) }
    void send(JSON.stringify(fault)).then((isDone) => isDone || reset(target))
  })
}

/** Shows the actual clock again. */
function reset({ options }: HTMLSelectElement): void {
  for (const option of options) option.selected = option.defaultSelected
}
