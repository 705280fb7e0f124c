/**
 * Lambda starts an environment for each invocation that finds none idle. This pool does too, but only a few at the
 * same time: enough for the candidates of a usual run, while more would keep a small machine from finishing any. It
 * grows until no invocation waits, however long the running ones take, so that invocations may wait for each other.
 */
import type { Environment } from './environment.ts'

const STARTING_AT_ONCE = 4

export class EnvironmentPool {
  readonly #start: () => Environment
  readonly #all = new Set<Environment>()
  readonly #idle: Environment[] = []
  readonly #queue: ((environment: Environment | undefined) => void)[] = []
  #starting = 0
  #stopped = false

  constructor(start: () => Environment) {
    this.#start = start
  }

  /** An environment for the caller alone, until it is given back. Undefined once the pool has stopped. */
  async take(): Promise<Environment | undefined> {
    if (this.#stopped) return undefined
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) if (last.isAlive()) return last
    const { promise, resolve } = Promise.withResolvers<Environment | undefined>()
    this.#queue.push(resolve)
    this.#grow()
    return promise
  }

  giveBack(environment: Environment): void {
    if (environment.isAlive()) this.#lend(environment)
    else this.#all.delete(environment)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const resolve of this.#queue.splice(0)) resolve(undefined)
    await Promise.all([...this.#all].map((environment) => environment.kill()))
  }

  #grow(): void {
    while (!this.#stopped && this.#starting < Math.min(this.#queue.length, STARTING_AT_ONCE)) {
      this.#starting += 1
      const environment = this.#start()
      this.#all.add(environment)
      environment.initialized.then(() => {
        this.#starting -= 1
        this.#lend(environment) // even if its initialization failed: the invocation that gets it fails with the reason
        this.#grow()
      })
    }
  }

  #lend(environment: Environment): void {
    const next = this.#queue.shift()
    if (next === undefined) this.#idle.push(environment)
    else next(environment)
  }
}
