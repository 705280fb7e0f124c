import { InvocationType, InvokeCommand, type InvokeCommandInput, LambdaClient } from '@aws-sdk/client-lambda'
import { expect, onTestFinished, test } from 'vitest'
import { sessionTokenOf } from '../../../infra/local/lambda-host/credentials.ts'
import { startLambdaEndpoint } from '../../../infra/local/lambda-host/lambda-endpoint.ts'
import { fixtureFunction, PASS } from '../fixtures/functions.ts'
import { post, signedWith } from '../fixtures/reach.ts'

const payment = fixtureFunction({ name: 'payment' })

type Options = Partial<Parameters<typeof startLambdaEndpoint>[0]>

/** An endpoint and a real client of it. By default what is run returns its own name and the event. */
async function startEndpoint(options: Options = {}) {
  const runs: string[] = []
  const { run = async ({ name }, event) => ({ ok: true, value: { name, event } }) } = options
  const endpoint = await startLambdaEndpoint({
    accessKey: 'local',
    functions: [fixtureFunction(), payment],
    requestOf: (headers) => `request of ${headers['x-amz-security-token']}`,
    intercept: PASS,
    ...options,
    run: async (lambda, event, requestId) => {
      runs.push(lambda.name)
      return run(lambda, event, requestId)
    },
  })
  onTestFinished(endpoint.stop)
  const client = new LambdaClient({
    endpoint: endpoint.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local', sessionToken: sessionTokenOf(7) },
    maxAttempts: 1,
  })
  onTestFinished(() => client.destroy())
  const invoke = async (input: Partial<InvokeCommandInput> = {}) => {
    const command = new InvokeCommand({ FunctionName: payment.name, Payload: '{"amount":999}', ...input })
    const reply = await client.send(command)
    return { ...reply, payload: JSON.parse(reply.Payload?.transformToString() ?? '') }
  }
  return { endpoint, invoke, runs }
}

test('runs the function of that name, and returns its result, in any letters', async () => {
  const { invoke } = await startEndpoint()
  const event = { customer: 'Zoë Müller 日本' }
  const reply = await invoke({ Payload: JSON.stringify(event) })
  expect(reply).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST', payload: { name: 'payment', event } })
  expect(reply.FunctionError).toBeUndefined()
})

test('a function that fails is an answer with the error as its payload', async () => {
  const error = { errorType: 'TypeError', errorMessage: 'it broke', trace: ['TypeError: it broke', '  at here'] }
  const { invoke } = await startEndpoint({ run: async () => ({ ok: false, error, logs: [] }) })
  expect(await invoke()).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled', payload: error })
})

test.each<[Partial<InvokeCommandInput>, string, string]>([
  [{ InvocationType: InvocationType.Event }, 'InvalidParameterValueException', 'type Event is not supported here'],
  [{ Payload: '[]' }, 'InvalidRequestContentException', 'must be a JSON object'],
  [{ FunctionName: 'gone' }, 'ResourceNotFoundException', 'Function not found: gone'],
])('refuses %j with the reason', async (input, name, message) => {
  const { invoke, runs } = await startEndpoint()
  await expect(invoke(input)).rejects.toMatchObject({ name, message: expect.stringContaining(message) })
  expect(runs).toEqual([])
})

test('refuses every other call', async () => {
  const { endpoint, runs } = await startEndpoint()
  const other = await post(`${endpoint.url}/2015-03-31/functions`, signedWith('local'), '')
  expect([other.status, other.body]).toEqual([404, expect.stringContaining('not POST /2015-03-31/functions')])
  expect(runs).toEqual([])
})

test('an interceptor sees the sender, the function and the event, and may change event and reply', async () => {
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
