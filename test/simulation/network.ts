import { type LeaseStore, LeaseStoreError, MemoryLeaseStore } from '../../functions/election/index.ts'

interface Sent {
  readonly apply: () => Promise<unknown>
  readonly answer: (reply: unknown) => void
  readonly fail: (error: unknown) => void
}

/** A network under the test's control: each request waits until it is told what becomes of it. */
export class Network {
  readonly memory = new MemoryLeaseStore()
  readonly #waiting: Sent[] = []
  readonly #copies: (() => Promise<unknown>)[] = []

  get waiting(): number {
    return this.#waiting.length
  }

  /** A store as one candidate sees it, through this network. */
  store(): LeaseStore {
    return {
      acquire: (request) => this.#send(() => this.memory.acquire(request)),
      write: (request) => this.#send(() => this.memory.write(request)),
      giveBack: (request) => this.#send(() => this.memory.giveBack(request)),
    }
  }

  deliver(nth: number): Promise<void> | undefined {
    return this.#take(nth, async ({ apply, answer }) => answer(await apply()))
  }

  /** The request arrives, its reply does not. */
  loseReply(nth: number): Promise<void> | undefined {
    return this.#take(nth, async ({ apply, fail }) => {
      await apply()
      fail(noAnswer())
    })
  }

  drop(nth: number): Promise<void> | undefined {
    return this.#take(nth, async ({ fail }) => fail(noAnswer()))
  }

  /** The request arrives, its reply is lost, and the SDK asks again with the very same request. */
  retry(nth: number): Promise<void> | undefined {
    return this.#take(nth, async ({ apply, answer }) => {
      await apply()
      answer(await apply())
    })
  }

  /** A copy of some older request arrives now; nobody waits for its answer. */
  async deliverCopy(nth: number): Promise<void> {
    await this.#copies[nth % Math.max(1, this.#copies.length)]?.()
  }

  #send<T>(apply: () => Promise<T>): Promise<T> {
    this.#copies.push(apply)
    return new Promise<T>((resolve, reject) => {
      let reply: T
      this.#waiting.push({
        apply: async () => {
          reply = await apply()
          return reply
        },
        answer: () => resolve(reply),
        fail: reject,
      })
    })
  }

  #take(nth: number, act: (sent: Sent) => Promise<void>): Promise<void> | undefined {
    const [sent] = this.#waiting.splice(nth % Math.max(1, this.#waiting.length), 1)
    return sent === undefined ? undefined : act(sent)
  }
}

function noAnswer(): LeaseStoreError {
  return new LeaseStoreError('no answer', { lease: 'billing', retryable: true })
}
