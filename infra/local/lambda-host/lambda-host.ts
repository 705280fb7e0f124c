/**
 * A small Lambda: takes asynchronous events and retries them as Lambda does, after one minute and after two more, with
 * the same request id. Its functions reach DynamoDB and each other through its two endpoints, and so through an
 * interceptor.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Cleanups } from '../../programs/cleanups.ts'
import { startDynamoDBProxy } from './dynamodb-proxy.ts'
import type { Ending } from './environment.ts'
import type { Environments } from './environments.ts'
import type { Interceptor } from './interceptor.ts'
import { startLambdaEndpoint } from './lambda-endpoint.ts'
import type { LambdaFunction } from './lambda-function.ts'

const RETRY_DELAYS_MS = [60_000, 120_000] as const

export interface HostOptions {
  readonly region: string
  readonly dynamodbEndpoint: string
  /** A secret: the functions sign their requests with it. */
  readonly accessKey: string
  /** Multiplies Lambda's retry delays and the maximum age of events: 0.1 makes them a tenth. */
  readonly timeScale: number
  /** Those that other functions may invoke. */
  readonly functions: readonly LambdaFunction[]
  readonly intercept: Interceptor
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

export class LambdaHost {
  readonly #environments: Environments
  readonly #timeScale: number
  readonly #resources: Cleanups
  readonly #stopping = new AbortController()
  #stopped: Promise<void> | undefined

  private constructor(environments: Environments, timeScale: number, resources: Cleanups) {
    this.#environments = environments
    this.#timeScale = timeScale
    this.#resources = resources
  }

  static async start(environments: Environments, options: HostOptions): Promise<LambdaHost> {
    const { region, dynamodbEndpoint, accessKey, functions, intercept, timeScale } = options
    await using resources = new Cleanups()
    const common = { accessKey, intercept, requestOf: environments.requestOf.bind(environments) }
    const proxy = await startDynamoDBProxy({ ...common, dynamodbEndpoint, region })
    resources.defer(() => proxy.stop())
    const run = environments.run.bind(environments)
    const endpoint = await startLambdaEndpoint({ ...common, functions, run })
    resources.defer(() => endpoint.stop())
    environments.open({ region, accessKey, dynamodbEndpoint: proxy.url, lambdaEndpoint: endpoint.url })
    resources.defer(() => environments.stop())
    return new LambdaHost(environments, timeScale, resources.move())
  }

  /** Takes an event; settles when it succeeded, was given up, or the host stopped. Never throws. */
  async invokeAsync(
    lambda: LambdaFunction,
    event: unknown,
    onAttempt: (attempt: Attempt) => void,
    { requestId = randomUUID(), clockSkewMs, onStart }: AsyncInvocation = {},
  ): Promise<void> {
    const { signal } = this.#stopping
    const tooOldAt = performance.now() + lambda.maxEventAgeMs * this.#timeScale
    for (let retry = 0; !signal.aborted; retry += 1) {
      onStart?.(retry)
      const ending = await this.#environments.run(lambda, event, requestId, clockSkewMs?.())
      if (signal.aborted) return // the host killed it: not a failure
      const delayMs = (RETRY_DELAYS_MS[retry] ?? Number.POSITIVE_INFINITY) * this.#timeScale
      const again = !ending.ok && retry < lambda.retries && performance.now() + delayMs < tooOldAt
      const retryInMs = again ? delayMs : undefined
      onAttempt({ requestId, retry, ending, retryInMs })
      if (retryInMs === undefined) return
      await sleep(retryInMs, undefined, { signal }).catch(() => {})
    }
  }

  /** Kills every environment, frozen ones too, and settles when they are gone. May be called again. */
  stop(): Promise<void> {
    this.#stopping.abort()
    this.#stopped ??= this.#resources[Symbol.asyncDispose]()
    return this.#stopped
  }
}
