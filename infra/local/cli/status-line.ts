/** One line at the bottom of a terminal that is rewritten: the time until a retry, or how far a tick is. */
import type { Terminal } from './display.ts'

export interface StatusLine {
  /** Does nothing where the stream is no terminal. */
  show(text: string): void
  /** Counts down the seconds until a retry; anything else that is shown meanwhile is left out. */
  countDown(what: string, delayMs: number): void
  /** Takes the line away, so that another can be written there. */
  clear(): void
}

const ERASE = '\r\u001b[2K'

export function statusLine(stream: Terminal, dim: (text: string) => string): StatusLine {
  let timer: NodeJS.Timeout | undefined
  let isShown = false

  const write = (text: string) => {
    if (stream.isTTY !== true) return
    // A line that wraps could not be rewritten.
    stream.write(`${ERASE}${dim(text.slice(0, (stream.columns ?? 80) - 1))}`)
    isShown = true
  }
  const clear = () => {
    clearInterval(timer)
    timer = undefined
    if (isShown) stream.write(ERASE)
    isShown = false
  }

  return {
    show: (text) => {
      if (timer === undefined) write(text)
    },
    countDown: (what, delayMs) => {
      clear()
      const at = performance.now() + delayMs
      const tell = () => write(`${what} in ${Math.ceil(Math.max(0, at - performance.now()) / 1000)} s`)
      timer = setInterval(tell, 1_000)
      timer.unref()
      tell()
    },
    clear,
  }
}
