import { afterEach, expect, inject, test, vi } from 'vitest'
import { stubAws } from '../support/fake-service.ts'
import { createSandboxTable, localClient } from '../support/tables.ts'
import { CARD, list, orderWith, post, read } from './orders.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.resetModules()
  vi.restoreAllMocks()
})

test('The function uses its table, answers as late as LATE_MS says, and logs nothing', async () => {
  const client = localClient(inject('dynamodbEndpoint'))
  stubAws('DYNAMODB', inject('dynamodbEndpoint'))
  vi.stubEnv('SANDBOX_TABLE', await createSandboxTable(client))
  vi.stubEnv('LATE_MS', '20')
  client.destroy()
  const written = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')]
  const logged = (['log', 'info', 'warn', 'error'] as const).map((level) => vi.spyOn(console, level))

  const { handler } = await import('../../functions/sandbox/handler.ts')
  expect(read(await handler(post('k1', orderWith(CARD.charged))))).toMatchObject({ statusCode: 200, replayed: false })
  expect(read(await handler(post('k1', orderWith(CARD.charged))))).toMatchObject({ statusCode: 200, replayed: true })
  expect(read(await handler(post('k2', orderWith(CARD.answeredLate))))).toMatchObject({ statusCode: 200 })
  expect(read(await handler(list({ customer: 'cus_1' }))).body.data).toHaveLength(2)
  for (const spy of [...written, ...logged]) expect(spy).not.toHaveBeenCalled()
})

test.each([
  [{}, 'SANDBOX_TABLE is not set'],
  [{ SANDBOX_TABLE: 'sandbox', LATE_MS: '8s' }, 'LATE_MS is "8s", not a positive number'],
  [{ SANDBOX_TABLE: 'sandbox', KEY_WINDOW_MS: '0' }, 'KEY_WINDOW_MS is "0", not a positive number'],
])('In a wrong environment the function does not load: %j', async (variables, message) => {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  const loading = import('../../functions/sandbox/handler.ts')
  await expect(loading).rejects.toThrow(`The environment of the sandbox is wrong: ${message}`)
})
