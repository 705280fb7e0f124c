/** The execution environments of one function, each lent to one invocation at a time. */
import type { Environment } from './environment.ts'

export interface EnvironmentPool {
  /** One that nobody else has; it is to be given back. Undefined where the pool was stopped. */
  take(): Promise<Environment | undefined>
  giveBack(environment: Environment): void
  /** Kills every environment, frozen ones too, and settles when they are gone. */
  stop(): Promise<void>
}

/**
 * Lambda starts an environment for each invocation that finds none idle. So does this, but only so many at once, which is
 * enough for all candidates of a usual run: more would keep a small machine from finishing any. Whoever waits gets the
 * first that is started or given back; the pool grows until nobody waits, however long those at work take, so that
 * invocations may wait for each other.
 */
const STARTING_AT_ONCE = 4

export function createEnvironmentPool(start: () => Environment): EnvironmentPool {
  const all = new Set<Environment>()
  const idle: Environment[] = []
  const waiting: ((environment: Environment | undefined) => void)[] = []
  let starting = 0
  let stopped = false

  const grow = () => {
    while (!stopped && starting < Math.min(waiting.length, STARTING_AT_ONCE)) {
      starting += 1
      const environment = start()
      all.add(environment)
      environment.initialized.then(() => {
        starting -= 1
        // One that could not initialize too: its failure is that of the invocation which gets it.
        lend(environment)
        grow()
      })
    }
  }

  const lend = (environment: Environment) => {
    const next = waiting.shift()
    if (next === undefined) idle.push(environment)
    else next(environment)
  }

  return {
    take: async () => {
      if (stopped) return undefined
      for (let last = idle.pop(); last !== undefined; last = idle.pop()) if (last.isAlive()) return last
      const { promise, resolve } = Promise.withResolvers<Environment | undefined>()
      waiting.push(resolve)
      grow()
      return promise
    },
    giveBack: (environment) => {
      if (environment.isAlive()) lend(environment)
      else all.delete(environment)
    },
    stop: async () => {
      stopped = true
      for (const resolve of waiting.splice(0)) resolve(undefined)
      await Promise.all([...all].map((environment) => environment.kill()))
    },
  }
}
