/**
 * A small Lambda: runs each invocation in an execution environment, and retries asynchronous events as Lambda does,
 * after one minute and after two more, with the same request id. Its functions reach DynamoDB and each other through
 * an interceptor.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
// @ts-nocheck

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { senderOf } from './credentials.ts'
import { type Ending, Environment } from './environment.ts'
import type { Interceptor } from './interceptor.ts'
import { environmentVariables, type LambdaFunction } from './lambda-function.ts'
import type { LoopbackServer } from './loopback.ts'
import { type ServicesOptions, startServices } from './services.ts'

const RETRY_DELAYS_MS = [60_000, 120_000] as const
/** Enough for the candidates of a usual run; more would keep a small machine from finishing any. */
const STARTING_AT_ONCE = 4
const HAS_STOPPED = { errorType: 'ServiceException', errorMessage: 'The host has stopped' }
const STOPPED: Ending = { ok: false, error: HAS_STOPPED, logs: [] }

export interface HostOptions extends Omit<ServicesOptions, 'intercept' | 'run' | 'requestOf'> {
  /** Multiplies Lambda's retry delays and the maximum age of events: 0.1 makes them a tenth. */
  readonly timeScale: number
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

interface Pool {
  readonly idle: Environment[]
  readonly starting: Set<Promise<void>>
}

export type Processes = Pick<LambdaHost, 'kill' | 'freeze' | 'thaw'>

export class LambdaHost {
  readonly #options: HostOptions
  readonly #pools = new Map<string, Pool>()
  readonly #all = new Set<Environment>()
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
    const environment = await this.#take(lambda, pool)
    if (environment === undefined) return STOPPED
    this.#working.set(requestId, environment)
    this.#requests.set(environment.serial, requestId)
    const ending = await environment.invoke(event, requestId, clockSkewMs)
    this.#working.delete(requestId)
    if (this.#options.cold || !environment.isAlive()) {
      await environment.kill()
      this.#all.delete(environment)
    } else pool.idle.push(environment)
    return ending
  }

  #poolOf(lambda: LambdaFunction): Pool {
    const key = JSON.stringify(lambda) // functions that differ in anything, such as one variable, never share a process
    const pool = this.#pools.get(key) ?? { idle: [], starting: new Set() }
    this.#pools.set(key, pool)
    return pool
  }

  /**
   * An idle environment, or a new one as Lambda would start it: however long the running invocations take, since they
   * may wait for this one. Undefined once the host has stopped.
   */
  async #take(lambda: LambdaFunction, { idle, starting }: Pool): Promise<Environment | undefined> {
    for (let last = idle.pop(); last !== undefined; last = idle.pop()) if (last.isAlive()) return last
    if (this.#stopping.signal.aborted) return undefined
    if (starting.size >= STARTING_AT_ONCE) {
      await Promise.race(starting)
      return this.#take(lambda, { idle, starting })
    }
    const access = { ...this.#options, servicesUrl: this.#services?.url ?? '' }
    const serial = ++this.#started
    const environment = new Environment(lambda, environmentVariables(lambda, serial, access), serial)
    this.#all.add(environment)
    // Even if its initialization fails: its invocation then fails with the reason.
    const started = environment.initialized.then(() => void starting.delete(started))
    starting.add(started)
    await started
    return environment
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

  started(): number {
    return this.#started
  }

  /** Kills every environment, frozen ones too, and settles when they are gone. No invocation starts afterwards. */
  stop(): Promise<void> {
    this.#stopping.abort()
    const killed = () => Promise.all([...this.#all].map((environment) => environment.kill()))
    this.#stopped ??= killed().then(() => this.#services?.stop())
    return this.#stopped
  }
}
