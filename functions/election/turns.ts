interface TakeOptions {
  /** Before all that wait and are not `ahead` themselves. */
  readonly ahead?: boolean
  /** Called if the request has to wait; once it resolves, the request is sent without a turn. */
  readonly patience?: () => Promise<void>
}

/** Lets so many requests be on their way at once; further ones wait for their turn, in the order in which they came. */
export class Turns {
  #free: number
  readonly #ahead: (() => void)[] = []
  readonly #waiting: (() => void)[] = []

  constructor(atOnce: number) {
    this.#free = atOnce
  }

  /** Sends before it returns if a turn is free. */
  async take<T>(send: () => Promise<T>, options: TakeOptions = {}): Promise<T> {
    let hasTurn = this.#free > 0
    if (hasTurn) this.#free--
    else hasTurn = await this.#handedOver(options)
    try {
      return await send()
    } finally {
      if (hasTurn) this.#handOver()
    }
  }

  /** Resolves with true when a turn is handed over, or with false once patience is over. */
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

  /** The turn is never free in between: no request that comes now gets before those that wait. */
  #handOver(): void {
    const next = this.#ahead.shift() ?? this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}
