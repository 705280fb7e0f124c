// @ts-nocheck
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import type { Attempt } from '../../../infra/local/lambda-host/lambda-host.ts'
import { fixtureFunction } from '../fixtures/functions.ts'
import { attemptsOf, describeEnvironment, invoke, resultOf, startHost, startWaiting } from '../fixtures/hosts.ts'
import { isAlive, stateOf } from '../fixtures/processes.ts'

test('environments are reused, and frozen between invocations: a timer that is left does not fire', async () => {
  const host = await startHost()
  await resultOf(host, { do: 'leave a timer' })
  const before = await describeEnvironment(host)
  await expect.poll(() => stateOf(before['pid'])).toBe('T') // a busy machine stops it a moment later
  await sleep(1_000) // 100 firings if it were not frozen
  const after = await describeEnvironment(host)
  expect(after).toMatchObject({ pid: before['pid'], invocations: 3 })
  expect(Number(after['ticksOfALeftTimer']) - Number(before['ticksOfALeftTimer'])).toBeLessThanOrEqual(20)
})

test('environments are new for every invocation with --cold, and the used one is gone', async () => {
  const host = await startHost({ cold: true })
  const first = await describeEnvironment(host)
  const second = await describeEnvironment(host)
  expect(second['pid']).not.toBe(first['pid'])
  expect(second['invocations']).toBe(1)
  expect(isAlive(first['pid'])).toBe(false)
})

test('environments are shared only by functions that are equal in everything, each variable included', async () => {
  const host = await startHost()
  const described = []
  for (const LEASE_NAME of ['billing-1', 'billing-2', 'billing-1']) {
    described.push(await describeEnvironment(host, fixtureFunction({ environment: { LEASE_NAME } })))
  }
  const [one, other, oneAgain] = described
  expect(described.map(({ env }) => Object(env).LEASE_NAME)).toEqual(['billing-1', 'billing-2', 'billing-1'])
  expect(oneAgain?.['pid']).toBe(one?.['pid'])
  expect(other?.['pid']).not.toBe(one?.['pid'])
})

test('environments that died while idle are not used again', async () => {
  const host = await startHost()
  const { pid } = await describeEnvironment(host)
  process.kill(Number(pid), 'SIGKILL')
  await expect.poll(() => isAlive(pid)).toBe(false)
  await sleep(50)
  expect((await describeEnvironment(host))['pid']).not.toBe(pid)
})

test("environments have the template's variables, Lambda's own, none of the host's, and Lambda's context", async () => {
  process.env['TENURE_TEST_LEAK'] = 'leaked'
  onTestFinished(() => void delete process.env['TENURE_TEST_LEAK'])
  const { env, remainingMs, context } = await describeEnvironment(await startHost())
  const endpoint = expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/)
  expect(env).toMatchObject({
    DECLARED: 'yes',
    AWS_REGION: 'eu-central-1',
    AWS_LAMBDA_FUNCTION_NAME: 'fixture',
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    AWS_ENDPOINT_URL_LAMBDA: endpoint,
  })
  const others = Object.keys(Object(env)).filter((name) => !/^(_HANDLER|AWS_.*|LAMBDA_TASK_ROOT)$/.test(name))
  expect(others.sort()).toEqual(['DECLARED', 'LANG', 'PATH', 'TZ'])
  expect(remainingMs).toBeGreaterThan(4_000)
  expect(remainingMs).toBeLessThanOrEqual(5_000)
  expect(context).toMatchObject({ awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/), functionName: 'fixture' })
})

test('a failed event is retried after a scaled minute and two more, with its id, in the same environment', async () => {
  const host = await startHost()
  const startedAt = performance.now()
  const events: unknown[] = []
  const onAttempt = ({ retry, retryInMs, ending }: Attempt) =>
    void events.push([retry, retryInMs, ending.ok || ending.error.errorMessage])
  const onStart = (retry: number) => events.push(`try ${retry}`)
  await host.invokeAsync(fixtureFunction(), { do: 'throw' }, onAttempt, { requestId: 'r-1', onStart })
  expect(events).toEqual([
    ...['try 0', [0, 60, 'request r-1 failed']],
    ...['try 1', [1, 120, 'request r-1 failed']],
    ...['try 2', [2, undefined, 'request r-1 failed']],
  ])
  expect(performance.now() - startedAt).toBeGreaterThan(180)
  expect(host.started()).toBe(1)
})

test.each([
  ['the template allows no retry', { retries: 0 }],
  ['it is too old for its next try', { maxEventAgeMs: 30_000 }], // half of the first delay
])('a failed event is given up when %s', async (_, overrides) => {
  expect(await attemptsOf(await startHost(), { do: 'throw' }, fixtureFunction(overrides))).toHaveLength(1)
})

test('a failed event has how the process died and its last lines, and is retried in a new environment', async () => {
  const host = await startHost()
  const [attempt] = await attemptsOf(host, { do: 'exit' })
  const error = { errorMessage: 'Runtime exited with status 3' }
  expect(attempt?.ending).toMatchObject({ ok: false, error, logs: ['last words'] })
  expect(host.started()).toBe(3)
})

const endingOfDoing = async (what: string) => invoke(await startHost(), fixtureFunction(), { do: what })

test.each([
  ['return what JSON cannot hold', { errorType: 'TypeError', errorMessage: expect.stringContaining('BigInt') }],
])('a function that wants to %s fails', async (what, error) => {
  expect(await endingOfDoing(what)).toMatchObject({ ok: false, error })
})

test('a function has no IPC channel to the host, as in Lambda', async () => {
  expect(await resultOf(await startHost(), { do: 'send to its parent' })).toEqual({ send: 'undefined' })
})

test.each(['{not json\n', '{"kind":"result"}\n', '{"kind":"error","error":{"errorType":7}}\n'])(
  'a text that a function writes into the pipe to the host fails its own invocation alone: %j',
  async (text) => {
    const host = await startHost()
    const ending = await invoke(host, fixtureFunction(), { do: 'write to file 3', text })
    const errorMessage = expect.stringContaining('wrote to file descriptor 3')
    expect(ending).toMatchObject({ ok: false, error: { errorType: 'Runtime.InvalidMessage', errorMessage } })
    expect(await describeEnvironment(host)).toMatchObject({ invocations: 1 }) // in a new environment
  },
)

const start = (then: string, options: object) => ({ do: 'start a process', then, options })
const lambda = fixtureFunction({ timeoutMs: 1_000 })

test.each([
  ['exits', 'Runtime exited with status 3', 'exit'],
  ['is killed at its time-out', 'Task timed out after 1.00 seconds', 'wait'],
])('a process that a function starts ends when the function %s, and delays nothing', async (_, errorMessage, then) => {
  const ending = await invoke(await startHost(), lambda, start(then, { stdio: 'inherit' }))
  expect(ending).toMatchObject({ ok: false, error: { errorMessage }, logs: [expect.any(String)] })
  await expect.poll(() => isAlive(ending.logs?.[0])).toBe(false)
})

test('a process that a function starts is frozen and thawed with the environment, and ends with it', async () => {
  const host = await startHost()
  const { logs = [] } = await invoke(host, fixtureFunction(), start('return', { stdio: 'ignore' }))
  await expect.poll(() => stateOf(logs[0])).toBe('T')
  await startWaiting(host, 60_000, fixtureFunction())
  expect(stateOf(logs[0])).not.toBe('T')
  await host.stop()
  await expect.poll(() => isAlive(logs[0])).toBe(false)
})

test.each([
  ['index.missing', 'index.missing is not a function'],
  ['index.notAFunction', 'index.notAFunction is not a function'],
  ['other.handler', 'The bundle has no module for the handler other.handler'],
  ['exits.handler', 'Runtime exited with status 1'],
])('each invocation of a bundle without the handler %s fails with the reason', async (handler, errorMessage) => {
  const host = await startHost()
  const lambda = fixtureFunction({ handler })
  const endings = await Promise.all(Array.from({ length: 3 }, () => invoke(host, lambda, {})))
  for (const ending of endings) expect(ending).toMatchObject({ ok: false, error: { errorMessage } })
  expect(host.started()).toBe(3)
})

test('stopping ends every environment, idle, working or frozen, for each call, and reports no failure', async () => {
  const host = await startHost()
  const [working, frozen] = [await startWaiting(host, 60_000), await startWaiting(host, 60_000)]
  host.freeze(frozen.requestId)
  const { pid: idle } = await describeEnvironment(host)
  const pidsLeft = async (stopped: Promise<void>) => {
    await stopped
    return [working.pid, frozen.pid, idle].filter(isAlive)
  }
  expect(await Promise.all([host.stop(), host.stop()].map(pidsLeft))).toEqual([[], []])
  await Promise.all([working.ended, frozen.ended])
  expect([...working.attempts, ...frozen.attempts]).toEqual([])
  expect(await invoke(host, fixtureFunction({ name: 'new' }), {})).toMatchObject({ ok: false })
  expect(host.started()).toBe(3)
})

test('environments are started four at a time until no invocation waits; stopping refuses waiting ones', async () => {
  const host = await startHost()
  const burst = (functionOf: typeof fixtureFunction) =>
    Array.from({ length: 6 }, () => invoke(host, functionOf(), { do: 'wait', ms: 60_000 }))
  const running = burst(() => fixtureFunction({ timeoutMs: 60_000 }))
  expect(host.started()).toBe(4)
  await expect.poll(() => host.started()).toBe(6)
  const waiting = burst(() => fixtureFunction({ name: 'other' }))
  await host.stop()
  for (const ending of await Promise.all([...running, ...waiting])) expect(ending).toMatchObject({ ok: false })
  expect(host.started()).toBe(10)
})

test('functions that invoke each other may wait for each other, however many and however deep', async () => {
  const lambda = fixtureFunction({ timeoutMs: 20_000 })
  const host = await startHost({ functions: [lambda] })
  const nested = (depth: number): object =>
    depth === 0 ? { do: 'describe' } : { do: 'invoke', function: lambda.name, times: 2, event: nested(depth - 1) }
  const { answers } = await resultOf(host, nested(3), lambda)
  expect(Object(answers)).toHaveLength(2)
  expect(host.started()).toBeGreaterThanOrEqual(4)
})
