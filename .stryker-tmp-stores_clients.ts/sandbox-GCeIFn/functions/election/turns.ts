// @ts-nocheck
interface TakeOptions {
  /** Before all waiting requests that are not `ahead`. */
  readonly ahead?: boolean
  /** Called if the request has to wait; when it resolves, the request is sent without a turn. */
  readonly patience?: () => Promise<void>
}

/** Limits how many requests are under way; others wait for their turn, in the order in which they came. */
export class Turns {
  #free: number
  readonly #ahead: (() => void)[] = []
  readonly #waiting: (() => void)[] = []

  constructor(atOnce: number) {
    this.#free = atOnce
  }

  get isFree(): boolean {
    return this.#free > 0
  }

  /** If a turn is free, it sends before it returns. */
  async take<T>(send: () => Promise<T>, options: TakeOptions = {}): Promise<T> {
    let hasTurn = this.isFree
    if (hasTurn) this.#free--
    else hasTurn = await this.#handedOver(options)
    try {
      return await send()
    } finally {
      if (hasTurn) this.#handOver()
    }
  }

  /** Resolves to true with a turn, or to false without one when patience ends. */
  #handedOver({ ahead = false, patience }: TakeOptions): Promise<boolean> {
    return new Promise((resolve) => {
      let isWaiting = true
      const go = () => (isWaiting ? resolve(true) : this.#handOver())
      const queue = ahead ? this.#ahead : this.#waiting
      queue.push(go)
      void patience?.().then(() => {
        isWaiting = false
        resolve(false)
      })
    })
  }

  /** The turn is never free in between: a new request cannot overtake those that wait. */
  #handOver(): void {
    const next = this.#ahead.shift() ?? this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}
