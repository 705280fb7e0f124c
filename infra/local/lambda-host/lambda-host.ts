/**
 * A small Lambda: it runs invocations in execution environments, and takes asynchronous events, which it tries again as
 * Lambda does, after one minute and after two more, with the same request id. Functions reach DynamoDB and each other
 * through it, so that an interceptor may stand in between.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LambdaFunction } from '../stack/template.ts'
import { newAccessKey, senderOf } from './caller.ts'
import { startDynamoDBProxy } from './dynamodb-proxy.ts'
import type { Ending } from './environment.ts'
import { environmentVariables } from './environment-variables.ts'
import { createEnvironments } from './environments.ts'
import type { Interceptor } from './interceptor.ts'
import { startLambdaEndpoint } from './lambda-endpoint.ts'

const RETRY_DELAYS_MS = [60_000, 120_000] as const

export interface HostOptions {
  readonly region: string
  readonly dynamodbEndpoint: string
  /** What the functions sign their requests with, and nothing else on this machine can. @default a random one */
  readonly accessKey?: string
  /** Every invocation in a new environment. */
  readonly cold: boolean
  /** How long Lambda's delays, and the age of an event, last here: 0.1 is a tenth. */
  readonly timeScale: number
  /** Those that functions may invoke. @default none */
  readonly functions?: readonly LambdaFunction[]
  /** Sees every request of a function on its way to DynamoDB or to another function. @default nothing is in between */
  readonly intercept?: Interceptor | undefined
}

/** One try of one event. */
export interface Attempt {
  readonly requestId: string
  /** 0 for the first try. */
  readonly retry: number
  readonly ending: Ending
  readonly durationMs: number
  /** When Lambda tries the event again; absent when it succeeded or when Lambda gives up. */
  readonly retryInMs?: number | undefined
}

export interface AsyncInvocation {
  /** @default a new one */
  readonly requestId?: string
  /** How far the invocation's wall clock is ahead at each of its tries. @default 0 */
  readonly clockSkewMs?: () => number
  /** A try begins. */
  readonly onStart?: (retry: number) => void
}

export interface LambdaHost {
  /** Takes an event, and settles when it succeeded, was given up, or the host stopped. Never throws. */
  invokeAsync(
    lambda: LambdaFunction,
    event: unknown,
    onAttempt: (attempt: Attempt) => Promise<void>,
    more?: AsyncInvocation,
  ): Promise<void>
  /** Runs the function once, as a synchronous invocation does. Never throws. */
  invoke(lambda: LambdaFunction, event: unknown): Promise<Ending>
  /** SIGKILL for the environment that works on this request now. */
  kill(requestId: string): Promise<boolean>
  /** SIGSTOP for the environment that works on this request now; its deadline goes on. False where none does. */
  freeze(requestId: string): boolean
  /** SIGCONT for an environment that was frozen so. False where none is: it may have been killed, or timed out. */
  thaw(requestId: string): boolean
  /** The requests in work. */
  working(): readonly string[]
  /** How many environments were started so far. */
  environmentsStarted(): number
  /** Kills every environment, frozen ones too, and settles when they are gone. May be called again. */
  stop(): Promise<void>
}

export async function startLambdaHost(options: HostOptions): Promise<LambdaHost> {
  const { region, dynamodbEndpoint, accessKey = newAccessKey(), functions = [], intercept } = options
  await using starting = new AsyncDisposableStack()
  const stopping = new AbortController()
  const environments = createEnvironments({
    cold: options.cold,
    variablesOf: (lambda, serial) =>
      environmentVariables(lambda, serial, {
        region,
        accessKey,
        dynamodbEndpoint: proxy?.url ?? dynamodbEndpoint,
        lambdaEndpoint: lambdaEndpoint.url,
      }),
  })
  const requestOf = (headers: Readonly<Record<string, string>>) => environments.requestOf(senderOf(headers) ?? 0) ?? ''
  const { run } = environments
  const lambdaEndpoint = await startLambdaEndpoint({ accessKey, functions, run, intercept, requestOf })
  starting.defer(() => lambdaEndpoint.stop())
  const proxy = intercept && (await startDynamoDBProxy({ dynamodbEndpoint, region, accessKey, intercept, requestOf }))
  starting.defer(() => proxy?.stop())
  starting.defer(() => environments.stop())

  const invokeAsync: LambdaHost['invokeAsync'] = async (lambda, event, onAttempt, more = {}) => {
    const { requestId = randomUUID(), clockSkewMs, onStart } = more
    const tooOldAt = performance.now() + lambda.maxEventAgeMs * options.timeScale
    for (let retry = 0; !stopping.signal.aborted; retry += 1) {
      const startedAt = performance.now()
      onStart?.(retry)
      const ending = await environments.run(lambda, event, requestId, clockSkewMs?.())
      if (stopping.signal.aborted) return // it was killed with the host: no failure of its own
      const delayMs = (RETRY_DELAYS_MS[retry] ?? Number.POSITIVE_INFINITY) * options.timeScale
      const again = !ending.ok && retry < lambda.retries && performance.now() + delayMs < tooOldAt
      const retryInMs = again ? delayMs : undefined
      await onAttempt({ requestId, retry, ending, durationMs: performance.now() - startedAt, retryInMs })
      if (retryInMs === undefined) return
      await sleep(retryInMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  const kill = async (requestId: string) => {
    const environment = environments.workingOn(requestId)
    await environment?.kill()
    return environment !== undefined
  }

  const resources = starting.move()
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopping.abort()
    stopped ??= resources.disposeAsync()
    return stopped
  }

  return {
    invokeAsync,
    invoke: (lambda, event) => environments.run(lambda, event, randomUUID()),
    kill,
    freeze: (requestId) => environments.workingOn(requestId)?.freeze() ?? false,
    thaw: (requestId) => environments.workingOn(requestId)?.thaw() ?? false,
    working: environments.working,
    environmentsStarted: environments.started,
    stop,
  }
}
