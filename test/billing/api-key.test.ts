import { createServer, type Server } from 'node:http'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ApiKeyError, secretApiKey } from '../../functions/billing/api-key.ts'

type Answer = readonly [statusCode: number, body: object]

let answers: Answer[] = []
let asked: unknown[] = []
let server: Server

/** Secrets Manager, as far as it is asked; the last answer is given again and again. */
beforeEach(async () => {
  answers = []
  asked = []
  server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    asked.push([request.headers['x-amz-target'], JSON.parse(body)])
    const [statusCode, answer] = (answers.length > 1 ? answers.shift() : answers[0]) ?? [500, {}]
    response.writeHead(statusCode, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No port')
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', `http://127.0.0.1:${address.port}`)
  vi.stubEnv('AWS_REGION', 'eu-central-1')
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local')
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
  server.closeAllConnections()
  server.close()
})

const holding = (SecretString: string): Answer => [200, { Name: 'gateway', SecretString }]

describe('The API key', () => {
  test('is read from the secret, and once in five minutes', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 0 })
    answers = [holding('sk_test_1'), holding('sk_test_2')]
    const apiKey = secretApiKey('gateway')
    expect(await apiKey()).toBe('sk_test_1')
    vi.setSystemTime(299_000)
    expect(await apiKey()).toBe('sk_test_1')
    expect(asked).toEqual([['secretsmanager.GetSecretValue', { SecretId: 'gateway' }]])
    vi.setSystemTime(301_000)
    expect(await apiKey()).toBe('sk_test_2')
  })

  test('is read anew, past the cache, when it was refused; the new one then stays', async () => {
    answers = [holding('sk_test_old'), holding('sk_test_new')]
    const apiKey = secretApiKey('gateway')
    await apiKey()
    expect(await apiKey({ renew: true })).toBe('sk_test_new')
    expect(await apiKey()).toBe('sk_test_new')
    expect(asked).toHaveLength(2)
  })

  test('may end in the newline that a text file ends with', async () => {
    answers = [holding('sk_test_1\n')]
    expect(await secretApiKey('gateway')()).toBe('sk_test_1')
  })

  test.each([
    ['the placeholder of a new secret', '{"replaceAllOfThisBy":"a key","placeholder":"hidden1"}'],
    ['two lines', 'sk_hidden1\nsk_hidden2'],
    ['letters that no header carries', 'sk_hidden1…'],
    ['nothing', ' '],
  ])('is not %s, and the error says what to do without saying what is there', async (_what, secret) => {
    answers = [holding(secret)]
    const error = await secretApiKey('gateway')().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ApiKeyError)
    expect(String(error)).toContain("The secret gateway does not hold the gateway's API key as plain text")
    expect(String(error)).toContain('aws secretsmanager put-secret-value')
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('hidden')
  })

  test('is no binary secret', async () => {
    answers = [[200, { Name: 'gateway', SecretBinary: 'c2tfdGVzdA==' }]]
    await expect(secretApiKey('gateway')()).rejects.toThrow('does not hold')
  })

  test.each([
    [400, 'AccessDeniedException'],
    [400, 'ResourceNotFoundException'],
  ])('that may not be read (%i %s) is an error that names the secret and why', async (statusCode, type) => {
    answers = [[statusCode, { __type: type, message: 'not for you' }]]
    const key = secretApiKey('gateway')()
    await expect(key).rejects.toThrow(ApiKeyError)
    await expect(key).rejects.toThrow(`from the secret gateway (${type}), so nothing was charged`)
  })

  test('is asked for again after an error: nothing of that is kept', async () => {
    answers = [[400, { __type: 'AccessDeniedException' }], holding('sk_test_1')]
    const apiKey = secretApiKey('gateway')
    await expect(apiKey()).rejects.toThrow(ApiKeyError)
    expect(await apiKey()).toBe('sk_test_1')
  })

  test('is not waited for longer than a few seconds: the SDK would wait for ever', async () => {
    server.removeAllListeners('request')
    server.on('request', () => {})
    await expect(secretApiKey('gateway')()).rejects.toThrow('from the secret gateway (TimeoutError)')
  }, 10_000)
})
