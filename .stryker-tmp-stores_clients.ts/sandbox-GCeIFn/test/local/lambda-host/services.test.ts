// @ts-nocheck
import { createServer, type RequestListener } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { InvocationType, InvokeCommand, type InvokeCommandInput, LambdaClient } from '@aws-sdk/client-lambda'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import type { Interceptor } from '../../../infra/local/lambda-host/interceptor.ts'
import { listen } from '../../../infra/local/lambda-host/loopback.ts'
import { type ServicesOptions, startServices } from '../../../infra/local/lambda-host/services.ts'
import { fixtureFunction, PASS } from '../fixtures/functions.ts'
import { post, signedWith } from '../fixtures/reach.ts'

const payment = fixtureFunction({ name: 'payment' })

/** By default a function returns its own name and the event. */
async function start(options: Partial<ServicesOptions>) {
  const services = await startServices({
    dynamodbEndpoint: inject('dynamodbEndpoint'),
    region: 'eu-central-1',
    accessKey: 'local',
    functions: [fixtureFunction(), payment],
    intercept: PASS,
    run: async ({ name }, event) => ({ ok: true, value: { name, event } }),
    requestOf: (headers) => `by ${headers['user-agent']?.slice(0, 10)}`,
    ...options,
  })
  onTestFinished(services.stop)
  return services
}

describe('DynamoDB', () => {
  const DATE = 'Mon, 01 Jan 2024 00:00:00 GMT'
  const LIST_TABLES = { ...signedWith('local'), 'x-amz-target': 'DynamoDB_20120810.ListTables' }

  /** By hand, for the headers of the reply. */
  const listTables = (url: string) => post(url, LIST_TABLES, '{"Limit":1}')

  /** A server in the place of DynamoDB Local. */
  async function startUpstream(answer: RequestListener): Promise<{ readonly dynamodbEndpoint: string }> {
    const server = createServer(answer)
    onTestFinished(() => void server.close())
    return { dynamodbEndpoint: `http://127.0.0.1:${await listen(server, 0)}` }
  }

  test('has the tables of this run for a function in another Region; its clock dates the reply', async () => {
    const signed: unknown[] = []
    const upstream = await startUpstream((request, response) => {
      signed.push(request.headers.authorization?.replace(/, .*/, ''))
      response.setHeader('date', DATE).setHeader('x-amzn-requestid', 'r-1').end('{}')
    })
    const { authorization = '' } = signedWith('local')
    const elsewhere = { ...LIST_TABLES, authorization: authorization.replace('eu-central-1', 'us-east-1') }
    const { headers } = await post((await start(upstream)).url, elsewhere, '{}')
    expect(headers).toMatchObject({ date: DATE, 'x-amzn-requestid': 'r-1' })
    expect(signed).toEqual(['AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/any/aws4_request'])
  })

  test('lets an interceptor change the date of a reply', async () => {
    const intercept: Interceptor = async (_, forward) => {
      const reply = await forward()
      return { ...reply, headers: { ...reply.headers, date: DATE } }
    }
    expect((await listTables((await start({ intercept })).url)).headers).toMatchObject({ date: DATE })
  })

  test('lets an interceptor hang up, before DynamoDB gets the request and after', async () => {
    let [isForwarded, received] = [false, 0]
    const upstream = await startUpstream((_, response) => {
      received += 1
      response.end('{}')
    })
    const intercept: Interceptor = async (_, forward) => {
      if (isForwarded) await forward()
      return 'hangUp'
    }
    const { url } = await start({ ...upstream, intercept })
    await expect(listTables(url)).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(received).toBe(0)
    isForwarded = true
    await expect(listTables(url)).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(received).toBe(1)
  })

  test('gets what is on its way when the services stop, and nothing afterwards', async () => {
    const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const upstream = await startUpstream(async (_, response) => {
      arrived.resolve()
      await released.promise
      response.end('{}')
    })
    const late = Promise.withResolvers<() => Promise<unknown>>()
    const intercept: Interceptor = (_, forward) => {
      late.resolve(forward)
      return forward()
    }
    const { url, stop } = await start({ ...upstream, intercept })
    const sent = listTables(url).catch(() => 'hung up')
    await arrived.promise
    const stopping = stop()
    expect(await Promise.race([stopping, sleep(50, 'still waiting')])).toBe('still waiting')
    released.resolve()
    await stopping
    expect(await sent).toBe('hung up')
    await expect((await late.promise)()).rejects.toThrow('the host has stopped')
  })

  test('that does not answer does not keep the services from stopping', async () => {
    const arrived = Promise.withResolvers<void>()
    const { url, stop } = await start(await startUpstream(() => arrived.resolve()))
    const sent = listTables(url).catch(() => 'hung up')
    await arrived.promise
    await stop()
    expect(await sent).toBe('hung up')
  })
})

describe('Lambda', () => {
  /** A real client of it, and the names of the functions that were run. */
  async function scene(options: Partial<ServicesOptions> = {}) {
    const runs: string[] = []
    const { run = async ({ name }, event) => ({ ok: true, value: { name, event } }) } = options
    const counted: ServicesOptions['run'] = async (lambda, ...rest) => {
      runs.push(lambda.name)
      return run(lambda, ...rest)
    }
    const { url: endpoint } = await start({ ...options, run: counted })
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
    const client = new LambdaClient({ endpoint, region: 'eu-central-1', credentials, maxAttempts: 1 })
    onTestFinished(() => client.destroy())
    const invoke = async (input: Partial<InvokeCommandInput> = {}) => {
      const command = new InvokeCommand({ FunctionName: payment.name, Payload: '{"amount":999}', ...input })
      const reply = await client.send(command)
      return { ...reply, payload: JSON.parse(reply.Payload?.transformToString() || 'null') }
    }
    return { endpoint, invoke, runs }
  }

  test('answers with the error as the payload if the function fails', async () => {
    const error = { errorType: 'TypeError', errorMessage: 'it broke', trace: ['TypeError: it broke', '  at here'] }
    const { invoke } = await scene({ run: async () => ({ ok: false, error, logs: [] }) })
    expect(await invoke()).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled', payload: error })
  })

  test.each<[Partial<InvokeCommandInput>, string, string]>([
    [{ InvocationType: InvocationType.DryRun }, 'UnknownOperationException', 'invocations of type DryRun'],
    [{ InvocationType: InvocationType.Event }, 'AccessDeniedException', 'may invoke only itself asynchronously'],
    [{ Payload: '[]' }, 'InvalidRequestContentException', 'must be a JSON object'],
    [{ FunctionName: 'gone' }, 'ResourceNotFoundException', 'Function not found: gone'],
  ])('refuses %j with the reason', async (input, name, message) => {
    const { invoke, runs } = await scene()
    await expect(invoke(input)).rejects.toMatchObject({ name, message: expect.stringContaining(message) })
    expect(runs).toEqual([])
  })

  test('accepts an event of a function for itself, which runs later', async () => {
    const accepted: unknown[] = []
    const continueSelf: ServicesOptions['continueSelf'] = (...invoke) => accepted.push(invoke) > 0
    const { invoke, runs } = await scene({ continueSelf })
    const FunctionName = payment.arn
    await expect(invoke({ InvocationType: InvocationType.Event, FunctionName })).resolves.toMatchObject({
      StatusCode: 202,
    })
    expect(accepted).toEqual([['by aws-sdk-js', 'payment', { amount: 999 }]])
    expect(runs).toEqual([])
  })

  test('refuses every other call', async () => {
    const { endpoint } = await scene()
    const other = await post(`${endpoint}/2015-03-31/functions`, signedWith('local'), '')
    expect([other.status, other.body]).toEqual([404, expect.stringContaining('not POST /2015-03-31/functions')])
  })

  test('shows an interceptor the sender, the function and the event, and lets it change event and reply', async () => {
    const calls: object[] = []
    const intercept: Interceptor = async (call, forward) => {
      calls.push(call)
      const reply = await forward({ amount: 1 })
      return { ...reply, body: JSON.stringify({ seen: JSON.parse(reply.body), name: 'Zoë' }) }
    }
    const { invoke } = await scene({ intercept })
    expect((await invoke()).payload).toEqual({ seen: { name: 'payment', event: { amount: 1 } }, name: 'Zoë' })
    const call = { service: 'lambda', operation: 'Invoke', target: 'payment', body: { amount: 999 } }
    expect(calls).toEqual([{ ...call, requestId: 'by aws-sdk-js' }])
  })
})
