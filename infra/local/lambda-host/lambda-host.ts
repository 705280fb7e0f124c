/**
 * A small Lambda: runs each invocation in an execution environment, and retries asynchronous events as Lambda does,
 * after one minute and after two more, with the same request id. Its functions reach DynamoDB and each other through
 * an interceptor.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { senderOf } from './credentials.ts'
import { type Ending, Environment } from './environment.ts'
import { EnvironmentPool } from './environment-pool.ts'
import type { Interceptor } from './interceptor.ts'
import { environmentVariables, type LambdaFunction } from './lambda-function.ts'
import type { LoopbackServer } from './loopback.ts'
import { type ServicesOptions, startServices } from './services.ts'

const RETRY_DELAYS_MS = [60_000, 120_000] as const
const HAS_STOPPED = { errorType: 'ServiceException', errorMessage: 'The host has stopped' }
const STOPPED: Ending = { ok: false, error: HAS_STOPPED, logs: [] }

export interface HostOptions extends Omit<ServicesOptions, 'intercept' | 'run' | 'requestOf'> {
  /** Multiplies Lambda's retry delays and the maximum age of events: 0.1 makes them a tenth. */
  readonly timeScale: number
  /** Whether each invocation gets a new environment. */
  readonly cold: boolean
}

export interface Attempt {
  readonly requestId: string
  /** 0 for the first try. */
  readonly retry: number
  readonly ending: Ending
  /** When Lambda retries the event; absent when it succeeded or Lambda gives up. */
  readonly retryInMs?: number | undefined
}

export interface AsyncInvocation {
  readonly requestId?: string
  /** How far the wall clock is ahead at each try. @default 0 */
  readonly clockSkewMs?: () => number
  readonly onStart?: (retry: number) => void
}

export type Processes = Pick<LambdaHost, 'kill' | 'freeze' | 'thaw'>

export class LambdaHost {
  readonly #options: HostOptions
  readonly #pools = new Map<string, EnvironmentPool>()
  readonly #working = new Map<string, Environment>()
  /** By the serial of the environment: the request it runs, or ran last. */
  readonly #requests = new Map<number, string>()
  readonly #stopping = new AbortController()
  #services: LoopbackServer | undefined
  #started = 0
  #stopped: Promise<void> | undefined

  constructor(options: HostOptions) {
    this.#options = options
  }

  /** Must be called before the first invocation. */
  async open(intercept: Interceptor): Promise<void> {
    const requestOf = (headers: Readonly<Record<string, string>>) => this.#requests.get(senderOf(headers) ?? 0) ?? ''
    const run = this.invoke.bind(this)
    this.#services = await startServices({ ...this.#options, intercept, requestOf, run })
  }

  /** Runs one invocation, whose wall clock is ahead by `clockSkewMs`. Never throws. */
  async invoke(lambda: LambdaFunction, event: unknown, requestId: string, clockSkewMs = 0): Promise<Ending> {
    if (this.#stopping.signal.aborted) return STOPPED
    const pool = this.#poolOf(lambda)
    const environment = await pool.take()
    if (environment === undefined) return STOPPED
    this.#working.set(requestId, environment)
    this.#requests.set(environment.serial, requestId)
    const ending = await environment.invoke(event, requestId, clockSkewMs)
    this.#working.delete(requestId)
    if (this.#options.cold || !environment.isAlive()) await environment.kill()
    pool.giveBack(environment)
    return ending
  }

  #poolOf(lambda: LambdaFunction): EnvironmentPool {
    const key = JSON.stringify(lambda) // functions that differ in anything, such as one variable, never share a process
    const known = this.#pools.get(key)
    if (known !== undefined) return known
    const access = { ...this.#options, servicesUrl: this.#services?.url ?? '' }
    const pool = new EnvironmentPool(() => {
      const serial = ++this.#started
      return new Environment(lambda, environmentVariables(lambda, serial, access), serial)
    })
    this.#pools.set(key, pool)
    return pool
  }

  /** Takes an event; settles when it succeeded, was given up, or the host stopped. Never throws. */
  async invokeAsync(
    lambda: LambdaFunction,
    event: unknown,
    onAttempt: (attempt: Attempt) => void,
    { requestId = randomUUID(), clockSkewMs, onStart }: AsyncInvocation = {},
  ): Promise<void> {
    const { signal } = this.#stopping
    const { timeScale } = this.#options
    const tooOldAt = performance.now() + lambda.maxEventAgeMs * timeScale
    for (let retry = 0; !signal.aborted; retry += 1) {
      onStart?.(retry)
      const ending = await this.invoke(lambda, event, requestId, clockSkewMs?.())
      if (signal.aborted) return // the host killed it: not a failure
      const delayMs = (RETRY_DELAYS_MS[retry] ?? Number.POSITIVE_INFINITY) * timeScale
      const again = !ending.ok && retry < lambda.retries && performance.now() + delayMs < tooOldAt
      const retryInMs = again ? delayMs : undefined
      onAttempt({ requestId, retry, ending, retryInMs })
      if (retryInMs === undefined) return
      await sleep(retryInMs, undefined, { signal }).catch(() => {})
    }
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

  /** How many environments have been started. */
  started(): number {
    return this.#started
  }

  /** Kills every environment, frozen ones too, and settles when they are gone. No invocation starts afterwards. */
  stop(): Promise<void> {
    this.#stopping.abort()
    this.#stopped ??= Promise.all([...this.#pools.values()].map((pool) => pool.stop())).then(() =>
      this.#services?.stop(),
    )
    return this.#stopped
  }
}
