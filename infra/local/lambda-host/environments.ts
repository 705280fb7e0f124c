/** Runs each invocation in an execution environment, and knows which environment runs which request. */
import { senderOf } from './credentials.ts'
import { type Ending, Environment } from './environment.ts'
import { type Access, environmentVariables, type LambdaFunction } from './lambda-function.ts'

const HAS_STOPPED = { errorType: 'ServiceException', errorMessage: 'The host has stopped' }
const STOPPED: Ending = { ok: false, error: HAS_STOPPED, logs: [] }
const STARTING_AT_ONCE = 4

export class Environments {
  readonly #cold: boolean
  readonly #pools = new Map<string, EnvironmentPool>()
  readonly #working = new Map<string, Environment>()
  /** By the serial of the environment: the request it runs, or ran last. */
  readonly #requests = new Map<number, string>()
  #access: Access | undefined
  #started = 0
  #stopped = false

  constructor({ cold }: { readonly cold: boolean }) {
    this.#cold = cold
  }

  /** Must be called before the first `run`. */
  open(access: Access): void {
    this.#access = access
  }

  /** Runs one invocation, whose wall clock is ahead by `clockSkewMs`. Never throws once opened. */
  async run(lambda: LambdaFunction, event: unknown, requestId: string, clockSkewMs = 0): Promise<Ending> {
    if (this.#stopped) return STOPPED
    const pool = this.#poolOf(lambda)
    const environment = await pool.take()
    if (environment === undefined) return STOPPED
    this.#working.set(requestId, environment)
    this.#requests.set(environment.serial, requestId)
    const ending = await environment.invoke(event, requestId, clockSkewMs)
    this.#working.delete(requestId)
    if (this.#cold || !environment.isAlive()) await environment.kill()
    pool.giveBack(environment)
    return ending
  }

  #poolOf(lambda: LambdaFunction): EnvironmentPool {
    const key = JSON.stringify(lambda) // functions that differ in anything, such as one variable, never share a process
    const known = this.#pools.get(key)
    if (known !== undefined) return known
    const access = this.#access
    if (access === undefined) throw new Error('The environments are not open yet')
    const pool = new EnvironmentPool(() => {
      const serial = ++this.#started
      return new Environment(lambda, environmentVariables(lambda, serial, access), serial)
    })
    this.#pools.set(key, pool)
    return pool
  }

  /** SIGKILL for the environment that runs this request. False if none does. */
  async kill(requestId: string): Promise<boolean> {
    const environment = this.#working.get(requestId)
    await environment?.kill()
    return environment !== undefined
  }

  /** SIGSTOP for the environment that runs this request; the time-out keeps running. False if none does. */
  freeze(requestId: string): boolean {
    return this.#working.get(requestId)?.freeze() ?? false
  }

  /** SIGCONT for an environment that `freeze` stopped. False if there is none: it was killed, or timed out. */
  thaw(requestId: string): boolean {
    return this.#working.get(requestId)?.thaw() ?? false
  }

  working(): readonly string[] {
    return [...this.#working.keys()]
  }

  /** The request of the environment that sent these headers; empty if none did. They may arrive after its end. */
  requestOf(headers: Readonly<Record<string, string>>): string {
    return this.#requests.get(senderOf(headers) ?? 0) ?? ''
  }

  started(): number {
    return this.#started
  }

  /** Kills every environment, frozen ones too, and settles when they are gone. No invocation starts afterwards. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all([...this.#pools.values()].map((pool) => pool.stop()))
  }
}

export type Processes = Pick<Environments, 'kill' | 'freeze' | 'thaw'>

/**
 * Lambda starts an environment for each invocation that finds none idle. This pool does too, but only a few at the
 * same time: enough for the candidates of a usual run, while more would keep a small machine from finishing any. It
 * grows until no invocation waits, however long the running ones take, so that invocations may wait for each other.
 */
class EnvironmentPool {
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
