import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { type Attempt, type HostOptions, type LambdaHost, startLambdaHost } from '../../infra/local/lambda-host.ts'
import type { LambdaFunction } from '../../infra/local/template.ts'
import { fixtureFunction } from './fixtures/functions.ts'
import { isAlive, stateOf } from './fixtures/processes.ts'

const hosts: LambdaHost[] = []
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.stop()))
})

function startHost(options: Partial<HostOptions> = {}): LambdaHost {
  const host = startLambdaHost({
    region: 'eu-central-1',
    dynamodbEndpoint: 'http://127.0.0.1:1',
    cold: false,
    timeScale: 0.001, // the second try comes after 60 ms, the third 120 ms later
    ...options,
  })
  hosts.push(host)
  return host
}

async function invoke(host: LambdaHost, event: object, lambda: LambdaFunction = fixtureFunction()): Promise<Attempt[]> {
  const attempts: Attempt[] = []
  await host.invokeAsync(lambda, event, async (attempt) => void attempts.push(attempt))
  return attempts
}

async function describeEnvironment(host: LambdaHost): Promise<Record<string, unknown>> {
  const [attempt] = await invoke(host, { do: 'describe' })
  if (!attempt?.ending.ok) throw new Error(JSON.stringify(attempt))
  return JSON.parse(JSON.stringify(attempt.ending.value))
}

const failure = (attempt: Attempt | undefined) => (attempt?.ending.ok === false ? attempt.ending : undefined)

describe('execution environments', () => {
  test('are reused by the next invocation', async () => {
    const host = startHost()
    const first = await describeEnvironment(host)
    const second = await describeEnvironment(host)
    expect(second).toMatchObject({ pid: first['pid'], invocations: 2 })
  })

  test('are new for every invocation with --cold, and the used one is gone', async () => {
    const host = startHost({ cold: true })
    const first = await describeEnvironment(host)
    const second = await describeEnvironment(host)
    expect(second['pid']).not.toBe(first['pid'])
    expect(second['invocations']).toBe(1)
    expect(isAlive(first['pid'])).toBe(false)
  })

  test('serve one invocation at a time', async () => {
    const host = startHost()
    await Promise.all([invoke(host, { do: 'wait', ms: 200 }), invoke(host, { do: 'wait', ms: 200 })])
    expect(host.environmentsStarted()).toBe(2)
  })

  test('are frozen between invocations: a timer that was left behind does not fire', async () => {
    const host = startHost()
    await invoke(host, { do: 'leave a timer' })
    const before = await describeEnvironment(host)
    expect(stateOf(before['pid'])).toBe('T')
    await sleep(300) // 30 firings, were it not frozen
    const after = await describeEnvironment(host)
    expect(Number(after['ticksOfALeftTimer']) - Number(before['ticksOfALeftTimer'])).toBeLessThanOrEqual(3)
  })

  test("have the template's variables and Lambda's own, and none of the host's", async () => {
    process.env['TENURE_TEST_LEAK'] = 'leaked'
    const { env } = await describeEnvironment(startHost())
    delete process.env['TENURE_TEST_LEAK']
    expect(env).toMatchObject({
      DECLARED: 'yes',
      AWS_REGION: 'eu-central-1',
      AWS_LAMBDA_FUNCTION_NAME: 'fixture',
      AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1',
    })
    const others = Object.keys(Object(env)).filter((name) => !/^(_HANDLER|AWS_.*|LAMBDA_TASK_ROOT)$/.test(name))
    expect(others.sort()).toEqual(['DECLARED', 'LANG', 'PATH', 'TZ'])
  })

  test("tell the invocation Lambda's context", async () => {
    const { requestId, remainingMs, context } = await describeEnvironment(startHost())
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/)
    expect(remainingMs).toBeGreaterThan(4_000)
    expect(remainingMs).toBeLessThanOrEqual(5_000)
    expect(context).toMatchObject({ functionName: 'fixture', memoryLimitInMB: '256' })
  })
})

describe('a failed event', () => {
  test('is tried twice more, after one scaled minute and two, with the same request id', async () => {
    const startedAt = performance.now()
    const attempts = await invoke(startHost(), { do: 'throw' })
    expect(attempts.map(({ retry, retryInMs }) => [retry, retryInMs])).toEqual([
      [0, 60],
      [1, 120],
      [2, undefined],
    ])
    const errorMessage = `request ${attempts[0]?.requestId} failed`
    for (const attempt of attempts)
      expect(failure(attempt)?.error).toMatchObject({ errorType: 'TypeError', errorMessage })
    expect(performance.now() - startedAt).toBeGreaterThan(180)
  })

  test('is tried no more often than the template says', async () => {
    expect(await invoke(startHost(), { do: 'throw' }, fixtureFunction({ retries: 0 }))).toHaveLength(1)
  })

  test('is given up when it is too old for its next try', async () => {
    const lambda = fixtureFunction({ maxEventAgeMs: 30_000 }) // half of the first delay
    expect(await invoke(startHost(), { do: 'throw' }, lambda)).toHaveLength(1)
  })

  test('keeps its environment where the handler only threw, and gets a new one where the process died', async () => {
    const threw = startHost()
    await invoke(threw, { do: 'throw' })
    expect(threw.environmentsStarted()).toBe(1)
    const died = startHost()
    await invoke(died, { do: 'exit' })
    expect(died.environmentsStarted()).toBe(3)
  })

  test('says how the process died, and its last words', async () => {
    const [attempt] = await invoke(startHost(), { do: 'exit' })
    expect(failure(attempt)?.error.errorMessage).toBe('Runtime exited with status 3')
    expect(failure(attempt)?.logs).toEqual(['last words'])
  })
})

test('an invocation over its time-out is killed and has failed', async () => {
  const host = startHost()
  const lambda = fixtureFunction({ timeoutMs: 150, retries: 0 })
  const [attempt] = await invoke(host, { do: 'wait', ms: 10_000 }, lambda)
  expect(failure(attempt)?.error.errorMessage).toBe('Task timed out after 0.15 seconds')
  expect(attempt?.durationMs).toBeLessThan(3_000)
  await invoke(host, { do: 'describe' }, lambda)
  expect(host.environmentsStarted()).toBe(2)
})

test('kills the environment that works on a request, and no other', async () => {
  const host = startHost()
  const attempts: Attempt[] = []
  const keep = async (attempt: Attempt) => void attempts.push(attempt)
  const lambda = fixtureFunction({ retries: 0 })
  const file = join(tmpdir(), `tenure-request-${randomUUID()}`)
  const victim = host.invokeAsync(lambda, { do: 'wait', ms: 60_000, file }, keep)
  const other = host.invokeAsync(lambda, { do: 'wait', ms: 800 }, keep)
  await expect.poll(() => existsSync(file)).toBe(true)
  expect(await host.kill('unknown')).toBe(false)
  expect(await host.kill(readFileSync(file, 'utf8'))).toBe(true)
  await Promise.all([victim, other])
  rmSync(file)
  expect(attempts.map(({ ending }) => ending.ok)).toEqual([false, true])
  expect(failure(attempts[0])?.error.errorMessage).toBe('Runtime exited with error: signal: killed')
})

test.each([
  ['index.missing', 'index.missing is not a function'],
  ['index.notAFunction', 'index.notAFunction is not a function'],
  ['other.handler', 'The bundle has no module for the handler other.handler'],
])('a bundle without the handler %s is a failure that says so', async (handler, message) => {
  const [attempt] = await invoke(startHost(), {}, fixtureFunction({ handler, retries: 0 }))
  expect(failure(attempt)?.error.errorMessage).toBe(message)
})

test('stopping ends every environment, frozen and working, and reports no failure for it', async () => {
  const host = startHost()
  const [one, other] = await Promise.all([describeEnvironment(host), describeEnvironment(host)])
  const attempts: Attempt[] = []
  const keep = async (attempt: Attempt) => void attempts.push(attempt)
  const working = host.invokeAsync(fixtureFunction(), { do: 'wait', ms: 60_000 }, keep)
  await expect.poll(() => [stateOf(one['pid']), stateOf(other['pid'])].sort()).toEqual(['S', 'T'])
  await host.stop()
  expect([one['pid'], other['pid']].filter(isAlive)).toEqual([])
  await working
  expect(attempts).toEqual([])
})
