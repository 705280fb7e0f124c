// @ts-nocheck
import { inspect } from 'node:util'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ApiKeyError, secretApiKey } from '../../functions/billing/api-key.ts'
import { type Answer, type FakeService, startFakeService, stubAws } from '../support/fake-service.ts'

let secretsManager: FakeService

beforeEach(async () => {
  secretsManager = await startFakeService()
  stubAws('SECRETS_MANAGER', secretsManager.url)
})
afterEach(() => vi.useRealTimers())

const secret = (SecretString: string): Answer => ({ body: { Name: 'gateway', SecretString } })

test('The API key is read from the secret, and cached for five minutes', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 0 })
  secretsManager.answers = [secret('sk_test_1\n'), secret('sk_test_2')]
  const apiKey = secretApiKey('gateway')
  expect(await apiKey()).toBe('sk_test_1') // without the newline at the end of a text file
  vi.setSystemTime(299_000)
  expect(await apiKey()).toBe('sk_test_1')
  const [request] = secretsManager.requests
  expect(secretsManager.requests).toHaveLength(1)
  expect(request?.headers['x-amz-target']).toBe('secretsmanager.GetSecretValue')
  expect(JSON.parse(request?.body ?? '')).toEqual({ SecretId: 'gateway' })
  vi.setSystemTime(301_000)
  expect(await apiKey()).toBe('sk_test_2')
})

test('It is read again, past the cache, when the gateway refused it; the new one is cached', async () => {
  secretsManager.answers = [secret('sk_test_old'), secret('sk_test_new')]
  const apiKey = secretApiKey('gateway')
  await apiKey()
  expect(await apiKey({ renew: true })).toBe('sk_test_new')
  expect(await apiKey()).toBe('sk_test_new')
  expect(secretsManager.requests).toHaveLength(2)
})

test.each<[string, Answer]>([
  ['the placeholder of a new secret', secret('{"replaceAllOfThisBy":"a key","placeholder":"hidden1"}')],
  ['two lines', secret('sk_hidden1\nsk_hidden2')],
  ['characters that no header may contain', secret('sk_hidden1…')],
  ['nothing', secret(' ')],
  ['a binary secret', { body: { Name: 'gateway', SecretBinary: 'c2tfdGVzdA==' } }],
])('If the secret holds %s, the error says what to do, and does not contain it', async (_, answer) => {
  secretsManager.answers = [answer]
  const error = await secretApiKey('gateway')().catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(ApiKeyError)
  expect(String(error)).toContain('The secret gateway does not hold the API key as plain text')
  expect(String(error)).toContain('aws secretsmanager put-secret-value')
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('hidden')
})

test('An error of Secrets Manager is named, and not cached', async () => {
  const denial = { statusCode: 400, body: { __type: 'AccessDeniedException', message: 'no' } }
  secretsManager.answers = [denial, secret('sk_test_1')]
  const apiKey = secretApiKey('gateway')
  const failed = apiKey()
  await expect(failed).rejects.toThrow(ApiKeyError)
  await expect(failed).rejects.toThrow('from the secret gateway (AccessDeniedException), so nothing was charged')
  expect(await apiKey()).toBe('sk_test_1')
})

test('A look-up ends after a few seconds: the SDK alone would wait forever', async () => {
  secretsManager.answers = ['silent']
  await expect(secretApiKey('gateway')()).rejects.toThrow('from the secret gateway (TimeoutError)')
}, 10_000)
