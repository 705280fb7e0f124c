import { setTimeout as sleep } from 'node:timers/promises'
import {
  InvocationType,
  InvokeCommand,
  type InvokeCommandInput,
  LambdaClient,
  ResourceNotFoundException,
  TooManyRequestsException,
} from '@aws-sdk/client-lambda'
import { afterEach, describe, expect, test } from 'vitest'
import { sessionTokenOf } from '../../../infra/local/lambda-host/caller.ts'
import { lambdaError, startLambdaEndpoint } from '../../../infra/local/lambda-host/lambda-endpoint.ts'
import { fixtureFunction } from '../fixtures/functions.ts'
import { addressesOpenAt, FOREIGN, post, signedWith, UNSIGNED } from '../fixtures/reach.ts'

const payment = fixtureFunction({ name: 'payment', arn: 'arn:aws:lambda:eu-central-1:000000000000:function:payment' })

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).reverse()) await cleanUp()
})

type Options = Partial<Parameters<typeof startLambdaEndpoint>[0]>

/** An endpoint, and a real client of it; what is run answers its own name and the event, unless told otherwise. */
async function startEndpoint(options: Options = {}) {
  const endpoint = await startLambdaEndpoint({
    accessKey: 'local',
    functions: [fixtureFunction(), payment],
    run: async ({ name }, event) => ({ ok: true, value: { name, event } }),
    requestOf: (headers) => `request of ${headers['x-amz-security-token']}`,
    ...options,
  })
  cleanups.push(endpoint.stop)
  const client = new LambdaClient({
    endpoint: endpoint.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local', sessionToken: sessionTokenOf(7) },
    maxAttempts: 1,
  })
  cleanups.push(() => client.destroy())
  const invoke = async (input: Partial<InvokeCommandInput> = {}, abortSignal = new AbortController().signal) => {
    const command = new InvokeCommand({ FunctionName: payment.name, Payload: '{"amount":999}', ...input })
    const reply = await client.send(command, { abortSignal })
    return { ...reply, payload: JSON.parse(reply.Payload?.transformToString() ?? '') }
  }
  return { endpoint, invoke }
}

describe('an invocation', () => {
  test.each([
    ['name', payment.name],
    ['ARN', payment.arn],
  ])("runs the function of that %s, and gives what it returns, in any language's letters", async (_, FunctionName) => {
    const { invoke } = await startEndpoint()
    const event = { customer: 'Zoë Müller 日本' }
    const reply = await invoke({ FunctionName, Payload: JSON.stringify(event) })
    expect(reply).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST', payload: { name: 'payment', event } })
    expect(reply.FunctionError).toBeUndefined()
  })

  test('without a payload has an empty event', async () => {
    const { invoke } = await startEndpoint()
    expect((await invoke({ Payload: '' })).payload).toEqual({ name: 'payment', event: {} })
  })

  test('whose function fails is answered all the same, with the error as its payload', async () => {
    const error = { errorType: 'TypeError', errorMessage: 'it broke', trace: ['TypeError: it broke', '  at here'] }
    const { invoke } = await startEndpoint({ run: async () => ({ ok: false, error, logs: [] }) })
    expect(await invoke()).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled', payload: error })
  })

  test('of a function that is not there is a ResourceNotFoundException', async () => {
    const { invoke } = await startEndpoint()
    const failed = invoke({ FunctionName: 'gone' })
    await expect(failed).rejects.toThrow(ResourceNotFoundException)
    await expect(failed).rejects.toThrow('Function not found: gone')
  })

  test.each([InvocationType.Event, InvocationType.DryRun])('of the type %s is refused with a reason', async (type) => {
    const { invoke } = await startEndpoint()
    const failed = invoke({ InvocationType: type })
    await expect(failed).rejects.toMatchObject({ name: 'InvalidParameterValueException' })
    await expect(failed).rejects.toThrow(`The invocation type ${type} is not known here, only RequestResponse is`)
  })

  test.each(['{', '[]', '"text"', 'null'])('whose event is %s is refused with a reason', async (Payload) => {
    const { invoke } = await startEndpoint()
    await expect(invoke({ Payload })).rejects.toMatchObject({ name: 'InvalidRequestContentException' })
  })

  test('goes on where whoever asked for it hangs up, and the next one is answered', async () => {
    const started = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    let ended = 0
    const run = async () => {
      started.resolve()
      await release.promise
      ended += 1
      return { ok: true, value: null } as const
    }
    const { invoke } = await startEndpoint({ run })
    const abort = new AbortController()
    const left = invoke({}, abort.signal)
    await started.promise
    abort.abort()
    await expect(left).rejects.toMatchObject({ name: 'AbortError' })
    await sleep(50) // until the server knows
    release.resolve()
    await invoke()
    expect(ended).toBe(2)
  })

  test('is the only call that is answered: another one is refused with a reason', async () => {
    const { endpoint } = await startEndpoint()
    const reply = await post(`${endpoint.url}/2015-03-31/functions`, signedWith('local'), '')
    expect(reply.status).toBe(404)
    expect(reply.body).toContain('Only Invoke is answered here, not POST /2015-03-31/functions')
  })
})

describe('an invocation that none of the functions sent', () => {
  async function watched() {
    const runs: string[] = []
    const run = async ({ name }: { readonly name: string }) => {
      runs.push(name)
      return { ok: true, value: null } as const
    }
    const { endpoint } = await startEndpoint({ run })
    return { url: `${endpoint.url}/2015-03-31/functions/payment/invocations`, runs }
  }

  test.each(FOREIGN)('but %s runs nothing', async (_, headers, status) => {
    const { url, runs } = await watched()
    expect(await post(url, { ...signedWith('local'), ...headers }, '{}')).toMatchObject({ status })
    expect(runs).toEqual([])
  })

  test.each(UNSIGNED)('%s runs nothing, and is told why', async (_, headers) => {
    const { url, runs } = await watched()
    const { status, headers: answered, body } = await post(url, headers, '{}')
    expect([status, answered['x-amzn-errortype']]).toEqual([403, 'UnrecognizedClientException'])
    expect(body).toContain('knows them by the credentials in their environment variables')
    expect(runs).toEqual([])
  })

  test('cannot come from elsewhere than this machine', async () => {
    const { url } = await watched()
    expect(await addressesOpenAt(Number(new URL(url).port))).toEqual(['127.0.0.1'])
  })
})

describe('an interceptor', () => {
  test('learns who invokes what with which event, and may give another event and another answer', async () => {
    const calls: object[] = []
    const { invoke } = await startEndpoint({
      intercept: async (call, forward) => {
        calls.push(call)
        const reply = await forward({ amount: 1 })
        return { ...reply, body: JSON.stringify({ seen: JSON.parse(reply.body), name: 'Zoë' }) }
      },
    })
    expect((await invoke()).payload).toEqual({ seen: { name: 'payment', event: { amount: 1 } }, name: 'Zoë' })
    const requestId = 'request of local0007'
    expect(calls).toEqual([
      { service: 'lambda', operation: 'Invoke', target: 'payment', body: { amount: 999 }, requestId },
    ])
  })

  test('may answer in place of the function, which is then not run', async () => {
    let runs = 0
    const run = async () => {
      runs += 1
      return { ok: true, value: null } as const
    }
    const intercept = async () => lambdaError(429, 'TooManyRequestsException', 'Rate exceeded')
    const { invoke } = await startEndpoint({ run, intercept })
    await expect(invoke()).rejects.toThrow(TooManyRequestsException)
    expect(runs).toBe(0)
  })

  test('may hang up, before and after the function has run', async () => {
    for (const runs of [0, 1]) {
      let ran = 0
      const { invoke } = await startEndpoint({
        run: async () => {
          ran += 1
          return { ok: true, value: null }
        },
        intercept: async (_, forward) => {
          if (runs > 0) await forward()
          return 'hangUp'
        },
      })
      await expect(invoke()).rejects.toMatchObject({ code: 'ECONNRESET' })
      expect(ran).toBe(runs)
    }
  })

  test('that fails makes an error that tells why', async () => {
    const { invoke } = await startEndpoint({ intercept: () => Promise.reject(new Error('no such plan')) })
    await expect(invoke()).rejects.toThrow('no such plan')
  })
})

test('stopping closes the connection of an invocation in work, and the port', async () => {
  const { endpoint, invoke } = await startEndpoint({ run: () => new Promise(() => {}) })
  const failed = expect(invoke()).rejects.toMatchObject({ code: 'ECONNRESET' })
  await sleep(50)
  await endpoint.stop()
  await failed
  await expect(fetch(endpoint.url)).rejects.toThrow()
})
