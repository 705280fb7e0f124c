/** A line at the bottom of a terminal that is overwritten: the time until a retry, or the progress of a tick. */

/** Standard output or standard error. */
export interface Terminal {
  readonly isTTY?: boolean
  /** Characters per line. */
  readonly columns?: number
  write(text: string): unknown
}

const ERASE = '\r\u001b[2K'

/** Does nothing if the stream is not a terminal. */
export class StatusLine {
  readonly #stream: Terminal
  readonly #dim: (text: string) => string
  #timer: NodeJS.Timeout | undefined
  #isShown = false

  constructor(stream: Terminal, dim: (text: string) => string) {
    this.#stream = stream
    this.#dim = dim
  }

  /** Ignored during a countdown. */
  show(text: string): void {
    if (this.#timer === undefined) this.#write(text)
  }

  countDown(what: string, delayMs: number): void {
    this.clear()
    const at = performance.now() + delayMs
    const update = () => this.#write(`${what} in ${Math.ceil(Math.max(0, at - performance.now()) / 1000)} s`)
    this.#timer = setInterval(update, 1_000).unref()
    update()
  }

  clear(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    if (this.#isShown) this.#stream.write(ERASE)
    this.#isShown = false
  }

  #write(text: string): void {
    if (this.#stream.isTTY !== true) return
    // A wrapped line could not be overwritten.
    this.#stream.write(`${ERASE}${this.#dim(text.slice(0, (this.#stream.columns ?? 80) - 1))}`)
    this.#isShown = true
  }
}
