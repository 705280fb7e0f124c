import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { fixtureFunction } from '../fixtures/functions.ts'
import { answerOf, describeEnvironment, failureOf, invoke, startHost, startWaiting } from '../fixtures/hosts.ts'
import { isAlive, stateOf } from '../fixtures/processes.ts'

/** Of all those that this process has started. */
function statesOfEnvironments(): string[] {
  const rows = spawnSync('ps', ['-A', '-o', 'ppid=,state=,command='], { encoding: 'utf8' }).stdout.split('\n')
  const columns = rows.map((row) => row.trim().split(/\s+/))
  return columns.flatMap(([parent, state = '', ...command]) =>
    parent === String(process.pid) && command.join(' ').endsWith('runtime.ts') ? [state.slice(0, 1)] : [],
  )
}

describe('execution environments', () => {
  test('are reused by the next invocation', async () => {
    const host = await startHost()
    const first = await describeEnvironment(host)
    const second = await describeEnvironment(host)
    expect(second).toMatchObject({ pid: first['pid'], invocations: 2 })
  })

  test('are new for every invocation with --cold, and the used one is gone', async () => {
    const host = await startHost({ cold: true })
    const first = await describeEnvironment(host)
    const second = await describeEnvironment(host)
    expect(second['pid']).not.toBe(first['pid'])
    expect(second['invocations']).toBe(1)
    expect(isAlive(first['pid'])).toBe(false)
  })

  test('serve one invocation at a time', async () => {
    const host = await startHost()
    const lambda = fixtureFunction({ retries: 0 })
    await describeEnvironment(host, lambda) // so that one is there
    const [one, other] = [await startWaiting(host, 60_000, lambda), await startWaiting(host, 60_000, lambda)]
    expect(other.pid).not.toBe(one.pid)
    expect(host.environmentsStarted()).toBe(2)
  })

  test('are shared only by functions that are equal in everything, each variable included', async () => {
    const host = await startHost()
    const variant = (LEASE_NAME: string) => fixtureFunction({ environment: { LEASE_NAME } })
    const one = await describeEnvironment(host, variant('billing-1'))
    const other = await describeEnvironment(host, variant('billing-2'))
    const oneAgain = await describeEnvironment(host, variant('billing-1'))
    expect([one, other, oneAgain].map(({ env }) => Object(env).LEASE_NAME)).toEqual([
      'billing-1',
      'billing-2',
      'billing-1',
    ])
    expect(oneAgain['pid']).toBe(one['pid'])
    expect(other['pid']).not.toBe(one['pid'])
  })

  test('are frozen between invocations: a timer that was left behind does not fire', async () => {
    const host = await startHost()
    await invoke(host, { do: 'leave a timer' })
    const before = await describeEnvironment(host)
    await expect.poll(() => stateOf(before['pid'])).toBe('T') // a busy machine stops it a moment later
    await sleep(1_000) // 100 firings, were it not frozen
    const after = await describeEnvironment(host)
    expect(Number(after['ticksOfALeftTimer']) - Number(before['ticksOfALeftTimer'])).toBeLessThanOrEqual(20)
  })

  test('that died while nobody used them are used no more', async () => {
    const host = await startHost()
    const { pid } = await describeEnvironment(host)
    process.kill(Number(pid), 'SIGKILL')
    await expect.poll(() => isAlive(pid)).toBe(false)
    await sleep(50)
    expect((await describeEnvironment(host))['pid']).not.toBe(pid)
  })

  test("have the template's variables and Lambda's own, and none of the host's", async () => {
    process.env['TENURE_TEST_LEAK'] = 'leaked'
    const { env } = await describeEnvironment(await startHost())
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
    const { requestId, remainingMs, context } = await describeEnvironment(await startHost())
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/)
    expect(remainingMs).toBeGreaterThan(4_000)
    expect(remainingMs).toBeLessThanOrEqual(5_000)
    expect(context).toMatchObject({ functionName: 'fixture', memoryLimitInMB: '256' })
  })

  test('are not started for each of a hundred invocations at once, where those there come free soon', async () => {
    const host = await startHost()
    const endings = await Promise.all(Array.from({ length: 100 }, () => host.invoke(fixtureFunction(), {})))
    expect(endings.filter(({ ok }) => !ok)).toEqual([])
    expect(host.environmentsStarted()).toBeLessThan(50)
    // Those that were started and then not needed are frozen like the others.
    await expect.poll(() => new Set(statesOfEnvironments())).toEqual(new Set(['T']))
  })
})

describe('a failed event', () => {
  test('is tried twice more, after one scaled minute and two, with the same request id', async () => {
    const startedAt = performance.now()
    const attempts = await invoke(await startHost(), { do: 'throw' })
    expect(attempts.map(({ retry, retryInMs }) => [retry, retryInMs])).toEqual([
      [0, 60],
      [1, 120],
      [2, undefined],
    ])
    const errorMessage = `request ${attempts[0]?.requestId} failed`
    for (const attempt of attempts)
      expect(failureOf(attempt)?.error).toMatchObject({ errorType: 'TypeError', errorMessage })
    expect(performance.now() - startedAt).toBeGreaterThan(180)
  })

  test('has the request id that it was given at each try, and each try is told as it begins', async () => {
    const host = await startHost()
    const told: unknown[] = []
    await host.invokeAsync(
      fixtureFunction({ retries: 1 }),
      { do: 'throw' },
      async ({ requestId, ending }) => void told.push([requestId, ending.ok || ending.error.errorMessage]),
      { requestId: 'r-1', onStart: (retry) => told.push(`try ${retry}: ${host.working().join()}`) },
    )
    expect(told).toEqual(['try 0: ', ['r-1', 'request r-1 failed'], 'try 1: ', ['r-1', 'request r-1 failed']])
  })

  test('is tried no more often than the template says', async () => {
    expect(await invoke(await startHost(), { do: 'throw' }, fixtureFunction({ retries: 0 }))).toHaveLength(1)
  })

  test('is given up when it is too old for its next try', async () => {
    const lambda = fixtureFunction({ maxEventAgeMs: 30_000 }) // half of the first delay
    expect(await invoke(await startHost(), { do: 'throw' }, lambda)).toHaveLength(1)
  })

  test('keeps its environment where the handler only threw, and gets a new one where the process died', async () => {
    const threw = await startHost()
    await invoke(threw, { do: 'throw' })
    expect(threw.environmentsStarted()).toBe(1)
    const died = await startHost()
    await invoke(died, { do: 'exit' })
    expect(died.environmentsStarted()).toBe(3)
  })

  test('says how the process died, and its last words', async () => {
    const [attempt] = await invoke(await startHost(), { do: 'exit' })
    expect(failureOf(attempt)?.error.errorMessage).toBe('Runtime exited with status 3')
    expect(failureOf(attempt)?.logs).toEqual(['last words'])
  })
})

describe('what a function throws, returns or writes', () => {
  /** The failure of an invocation that does this, in an environment of its own. */
  const failureOfDoing = async (what: string) => {
    const ending = await (await startHost()).invoke(fixtureFunction(), { do: what })
    return ending.ok ? undefined : ending
  }

  test.each([
    ['throw a revoked proxy', { errorType: 'object', errorMessage: 'What the function threw cannot be read' }],
    ['throw an object without a text', { errorType: 'object', errorMessage: 'What the function threw cannot be read' }],
    ['throw a symbol', { errorType: 'symbol', errorMessage: 'Symbol(thrown)' }],
    ['throw an error whose name throws', { errorMessage: 'What the function threw cannot be read' }],
    ['throw an error whose name is a number', { errorType: '7', errorMessage: 'numbered' }],
    ['return what JSON cannot hold', { errorType: 'TypeError', errorMessage: expect.stringContaining('BigInt') }],
    ['return too much', { errorType: 'Function.ResponseSizeTooLarge' }],
  ])('is an ending like any other: %s', async (what, error) => {
    expect((await failureOfDoing(what))?.error).toMatchObject(error)
  })

  test('is fit to print: no terminal sequences in names, messages, frames and logs', async () => {
    const failure = await failureOfDoing('throw terminal sequences')
    expect(failure).toMatchObject({
      error: { errorType: 'Red \\u202e', errorMessage: 'line one\nline two', trace: [expect.any(String)] },
      logs: ['green and charged', 'declined'],
    })
    expect(JSON.stringify(failure)).not.toMatch(/\\u001b/)
  })

  test('is short: of 3 MB of message the beginning, and where it was thrown', async () => {
    const { error } = (await failureOfDoing('throw 3 MB')) ?? {}
    expect(error?.errorMessage).toMatch(/^(a\n){5000} … and 2,990,000 more characters$/)
    expect(error?.trace?.[1]).toMatch(/^ +at handler \(.*index\.mjs/)
  })

  test('is not taken for a report: the function has no channel to the host, as in Lambda', async () => {
    const answer = await answerOf(await startHost(), { do: 'send to its parent' })
    expect(answer).toEqual({ send: 'undefined' })
    const { error } = (await failureOfDoing('disconnect')) ?? {}
    expect(error).toMatchObject({ errorType: 'TypeError', errorMessage: 'process.disconnect is not a function' })
  })

  test.each([
    '{not json\n',
    '\n',
    'null\n',
    '{"kind":"result"}\n',
    '{"kind":"result","json":"{x"}\n',
    '{"kind":"error"}\n',
    '{"kind":"error","error":{"errorType":7}}\n',
    '{"kind":"ready"}\n',
  ])('fails the invocation alone when it is written into the pipe to the host: %j', async (text) => {
    const host = await startHost()
    const ending = await host.invoke(fixtureFunction(), { do: 'write to file 3', text })
    const errorMessage = expect.stringContaining('wrote to file descriptor 3')
    expect(ending).toMatchObject({ ok: false, error: { errorType: 'Runtime.InvalidMessage', errorMessage } })
    expect(await describeEnvironment(host)).toMatchObject({ invocations: 1 }) // in a new environment
  })

  test('is fit to print even if the function writes the report itself', async () => {
    const error = { errorType: '\u001b[2J', errorMessage: 'a\u001b[31m', trace: ['\u0007', 7] }
    const text = `${JSON.stringify({ kind: 'error', error })}\n`
    const ending = await (await startHost()).invoke(fixtureFunction(), { do: 'write to file 3', text })
    expect(ending).toMatchObject({ error: { errorType: '', errorMessage: 'a', trace: ['\\u0007', '7'] } })
  })
})

describe('a process that a function starts', () => {
  const start = (then: string, options: object) => ({ do: 'start a process', then, options })
  const lambda = fixtureFunction({ timeoutMs: 1_000 })
  const inherit = { stdio: 'inherit' }

  test.each([
    ['exits', 'Runtime exited with status 3', 'exit'],
    ['is killed at its time-out', 'Task timed out after 1.00 seconds', 'wait'],
  ])('ends when the function %s, and holds nothing up', async (_, errorMessage, then) => {
    const ending = await (await startHost()).invoke(lambda, start(then, inherit))
    expect(ending).toMatchObject({ ok: false, error: { errorMessage }, logs: [expect.any(String)] })
    await expect.poll(() => isAlive(ending.logs?.[0])).toBe(false)
  })

  test('is frozen with the environment, thawed with it, and ends with it', async () => {
    const host = await startHost()
    const { logs = [] } = await host.invoke(fixtureFunction(), start('return', { stdio: 'ignore' }))
    await expect.poll(() => stateOf(logs[0])).toBe('T')
    await startWaiting(host, 60_000, fixtureFunction())
    expect(stateOf(logs[0])).not.toBe('T')
    await host.stop()
    await expect.poll(() => isAlive(logs[0])).toBe(false)
  })

  test('in a session of its own is out of reach, but does not hold up the end', async () => {
    const host = await startHost()
    const { logs = [] } = await host.invoke(lambda, start('return', { stdio: 'inherit', detached: true }))
    const pid = Number(logs[0])
    onTestFinished(() => void process.kill(pid, 'SIGKILL'))
    await host.stop()
    expect(isAlive(pid)).toBe(true)
  })
})

test('a synchronous invocation is tried once', async () => {
  const host = await startHost()
  expect(await host.invoke(fixtureFunction(), { do: 'throw' })).toMatchObject({ ok: false })
  expect(await describeEnvironment(host)).toMatchObject({ invocations: 2 })
})

test('an invocation over its time-out is killed and has failed', async () => {
  const host = await startHost()
  const lambda = fixtureFunction({ timeoutMs: 150, retries: 0 })
  const [attempt] = await invoke(host, { do: 'wait', ms: 10_000 }, lambda)
  expect(failureOf(attempt)?.error.errorMessage).toBe('Task timed out after 0.15 seconds')
  expect(attempt?.durationMs).toBeLessThan(3_000)
  await invoke(host, { do: 'describe' }, lambda)
  expect(host.environmentsStarted()).toBe(2)
})

test('kills the environment that works on a request, and no other', async () => {
  const host = await startHost()
  const victim = await startWaiting(host, 60_000)
  const other = await startWaiting(host, 500)
  expect(await host.kill('unknown')).toBe(false)
  expect(await host.kill(victim.requestId)).toBe(true)
  await Promise.all([victim.ended, other.ended])
  expect(failureOf(victim.attempts[0])?.error.errorMessage).toBe('Runtime exited with error: signal: killed')
  expect(other.attempts).toMatchObject([{ ending: { ok: true } }])
})

test.each([
  ['index.missing', 'index.missing is not a function'],
  ['index.notAFunction', 'index.notAFunction is not a function'],
  ['other.handler', 'The bundle has no module for the handler other.handler'],
])('a bundle without the handler %s is a failure that says so', async (handler, message) => {
  const [attempt] = await invoke(await startHost(), {}, fixtureFunction({ handler, retries: 0 }))
  expect(failureOf(attempt)?.error.errorMessage).toBe(message)
})

test.each([
  ['cannot be loaded', 'index.missing'],
  ['ends the process', 'exits.handler'],
])('each of many invocations of a bundle that %s fails, and none waits for ever', async (_, handler) => {
  const host = await startHost()
  const lambda = fixtureFunction({ handler })
  const endings = await Promise.all(Array.from({ length: 10 }, () => host.invoke(lambda, {})))
  expect(endings.filter(({ ok }) => ok)).toEqual([])
  expect(host.environmentsStarted()).toBe(10)
})

describe('stopping', () => {
  test('ends every environment, frozen and working, and reports no failure for it', async () => {
    const host = await startHost()
    const working = await startWaiting(host, 60_000)
    const { pid: idle } = await describeEnvironment(host)
    expect([stateOf(working.pid) === 'T', stateOf(idle) === 'T']).toEqual([false, true])
    await host.stop()
    expect([working.pid, idle].filter(isAlive)).toEqual([])
    await working.ended
    expect(working.attempts).toEqual([])
  })

  test('ends those too that are still being started, and whoever waits for them', async () => {
    const host = await startHost()
    const task = { do: 'wait', ms: 60_000 } // none may be done before the stop, however late that comes
    const endings = Promise.all(Array.from({ length: 10 }, () => host.invoke(fixtureFunction(), task)))
    await sleep(20)
    await host.stop()
    for (const ending of await endings) expect(ending).toMatchObject({ ok: false })
  })

  test('may be asked for again, and has then ended for either', async () => {
    const host = await startHost()
    const { pid } = await describeEnvironment(host)
    const order: string[] = []
    const first = host.stop().then(() => order.push('first'))
    await host.stop()
    order.push('second')
    await first
    expect(order).toEqual(['first', 'second'])
    expect(isAlive(pid)).toBe(false)
  })

  test('lets nothing be started afterwards, not even of a function that is new', async () => {
    const host = await startHost()
    await describeEnvironment(host)
    await host.stop()
    for (const lambda of [fixtureFunction(), fixtureFunction({ name: 'new' })]) {
      expect(await host.invoke(lambda, {})).toMatchObject({ ok: false })
    }
    expect(host.environmentsStarted()).toBe(1)
  })
})

describe('functions that invoke each other', () => {
  const payment = fixtureFunction({ name: 'payment', arn: 'arn:aws:lambda:eu-central-1:000000000000:function:payment' })

  test('do so by name, and get the answers', async () => {
    const host = await startHost({ functions: [payment] })
    const event = { do: 'describe' }
    const { answers } = await answerOf(host, { do: 'invoke', function: 'payment', event, times: 3 })
    expect(answers).toHaveLength(3)
    expect(answers).toMatchObject([
      { context: { functionName: 'payment' } },
      { context: { functionName: 'payment' } },
      { context: { functionName: 'payment' } },
    ])
  })

  test('wait for nobody who waits for them, however many do so at once and however deep', async () => {
    const lambda = fixtureFunction({ timeoutMs: 20_000 })
    const host = await startHost({ functions: [lambda] })
    const nested = (depth: number): object =>
      depth === 0 ? { do: 'describe' } : { do: 'invoke', function: lambda.name, times: 2, event: nested(depth - 1) }
    await answerOf(host, nested(3), lambda)
    expect(host.environmentsStarted()).toBeGreaterThanOrEqual(4)
  })

  test('send what an interceptor sees, with the request id of the invocation that sent it', async () => {
    const seen: object[] = []
    const host = await startHost({
      functions: [payment],
      intercept: (call, forward) => {
        seen.push(call)
        return forward()
      },
    })
    const event = { do: 'describe' }
    const ask = () => answerOf(host, { do: 'invoke', function: payment.arn, event })
    const [one, other] = await Promise.all([ask(), ask()])
    const seenOf = ({ requestId }: Record<string, unknown>) => ({
      service: 'lambda',
      operation: 'Invoke',
      target: 'payment',
      body: event,
      requestId,
    })
    expect(seen).toHaveLength(2)
    expect(seen).toEqual(expect.arrayContaining([seenOf(one), seenOf(other)]))
  })

  test('send to DynamoDB what an interceptor sees too', async () => {
    const seen: object[] = []
    const host = await startHost({
      intercept: async ({ service, operation, requestId }) => {
        seen.push({ service, operation, requestId })
        return { statusCode: 200, headers: {}, body: '{}' }
      },
    })
    const { requestId } = await answerOf(host, { do: 'list tables' })
    expect(seen).toEqual([{ service: 'dynamodb', operation: 'ListTables', requestId }])
  })
})
