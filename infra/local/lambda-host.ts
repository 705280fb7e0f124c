/**
 * A small Lambda: it keeps execution environments, gives each at most one invocation at a time, and takes asynchronous
 * events, which it tries again as Lambda does, after one minute and after two more, with the same request id.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Ending, type Environment, startEnvironment } from './environment.ts'
import type { LambdaFunction } from './template.ts'

const RETRY_DELAYS_MS = [60_000, 120_000] as const

export interface HostOptions {
  readonly region: string
  readonly dynamodbEndpoint: string
  /** Every invocation in a new environment. */
  readonly cold: boolean
  /** How long Lambda's delays, and the age of an event, last here: 0.1 is a tenth. */
  readonly timeScale: number
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

export interface LambdaHost {
  /** Takes an event, and settles when it succeeded, was given up, or the host stopped. Never throws. */
  invokeAsync(lambda: LambdaFunction, event: unknown, onAttempt: (attempt: Attempt) => Promise<void>): Promise<void>
  /** SIGKILL for the environment that works on this request now. */
  kill(requestId: string): Promise<boolean>
  /** How many environments were started so far. */
  environmentsStarted(): number
  /** Kills every environment, frozen ones too, and settles when they are gone. */
  stop(): Promise<void>
}

export function startLambdaHost(options: HostOptions): LambdaHost {
  const stopping = new AbortController()
  const pools = new Map<string, Set<Environment>>()
  const working = new Map<string, Environment>()
  let started = 0

  const environmentFor = (lambda: LambdaFunction): Environment => {
    const pool = pools.get(lambda.arn) ?? new Set()
    pools.set(lambda.arn, pool)
    for (const environment of pool) if (environment.idle()) return environment
    started += 1
    const fresh = startEnvironment(lambda, environmentVariables(lambda, options, started))
    pool.add(fresh)
    return fresh
  }

  const invoke = async (lambda: LambdaFunction, event: unknown, requestId: string): Promise<Ending> => {
    const environment = environmentFor(lambda)
    working.set(requestId, environment)
    const ending = await environment.invoke(event, requestId)
    working.delete(requestId)
    if (options.cold || !environment.idle()) {
      pools.get(lambda.arn)?.delete(environment)
      await environment.kill()
    }
    return ending
  }

  const invokeAsync: LambdaHost['invokeAsync'] = async (lambda, event, onAttempt) => {
    const requestId = randomUUID()
    const tooOldAt = performance.now() + lambda.maxEventAgeMs * options.timeScale
    for (let retry = 0; !stopping.signal.aborted; retry += 1) {
      const startedAt = performance.now()
      const ending = await invoke(lambda, event, requestId)
      if (stopping.signal.aborted) return // it was killed with the host: no failure of its own
      const delayMs = (RETRY_DELAYS_MS[retry] ?? Number.POSITIVE_INFINITY) * options.timeScale
      const again = !ending.ok && retry < lambda.retries && performance.now() + delayMs < tooOldAt
      const retryInMs = again ? delayMs : undefined
      await onAttempt({ requestId, retry, ending, durationMs: performance.now() - startedAt, retryInMs })
      if (retryInMs === undefined) return
      await sleep(retryInMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  const stop = async () => {
    stopping.abort()
    await Promise.all([...pools.values()].flatMap((pool) => [...pool]).map((environment) => environment.kill()))
  }

  const kill = async (requestId: string) => {
    const environment = working.get(requestId)
    await environment?.kill()
    return environment !== undefined
  }

  return { invokeAsync, kill, environmentsStarted: () => started, stop }
}

/**
 * The template's variables and those that Lambda reserves, and nothing of this process's own.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
 */
function environmentVariables(lambda: LambdaFunction, options: HostOptions, serial: number): Record<string, string> {
  return {
    ...lambda.environment,
    LANG: 'en_US.UTF-8',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    TZ: 'UTC',
    LAMBDA_TASK_ROOT: lambda.directory,
    _HANDLER: lambda.handler,
    AWS_REGION: options.region,
    AWS_DEFAULT_REGION: options.region,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: lambda.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(lambda.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${lambda.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: `local/[$LATEST]${String(serial).padStart(4, '0')}`,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_SESSION_TOKEN: 'local',
    AWS_ENDPOINT_URL_DYNAMODB: options.dynamodbEndpoint,
  }
}
