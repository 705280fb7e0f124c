import { expect, inject, test, vi } from 'vitest'
import { readEnvironment } from '../../functions/sandbox/environment.ts'
import { stubAws } from '../support/fake-service.ts'
import { createSandboxTable, localClient } from '../support/tables.ts'
import { CARD, list, orderWith, post, read } from './orders.ts'

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
  vi.restoreAllMocks()
})

test('Its environment names the table; the key window and the delay of late answers are optional', () => {
  const variables = { SANDBOX_TABLE: 'sandbox', KEY_WINDOW_MS: '1000', LATE_MS: '20' }
  expect(readEnvironment(variables)).toEqual({ tableName: 'sandbox', keyWindowMs: 1000, lateMs: 20 })
  expect(readEnvironment({ SANDBOX_TABLE: 'sandbox' })).toEqual({ tableName: 'sandbox' })
})

test.each([
  [{}, 'SANDBOX_TABLE is not set'],
  [{ SANDBOX_TABLE: 'sandbox', LATE_MS: '8s' }, 'LATE_MS is "8s", not a positive number'],
  [{ SANDBOX_TABLE: 'sandbox', KEY_WINDOW_MS: '0' }, 'KEY_WINDOW_MS is "0", not a positive number'],
])('A wrong environment is an error when the function loads: %j', (variables, message) => {
  expect(() => readEnvironment(variables)).toThrow(`The environment of the sandbox is wrong: ${message}`)
})
