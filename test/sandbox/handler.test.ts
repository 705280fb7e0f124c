import { afterEach, expect, inject, test, vi } from 'vitest'
import { readEnvironment } from '../../functions/sandbox/environment.ts'
import { localClient } from '../support/tables.ts'
import { CARD, list, orderWith, post, read } from './orders.ts'
import { createSandboxTable } from './sandbox-table.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.resetModules()
  vi.restoreAllMocks()
})

test('The function charges by its table, answers as late as it is told, and logs nothing', async () => {
  const client = localClient(inject('dynamodbEndpoint'))
  const environment = {
    AWS_ENDPOINT_URL_DYNAMODB: inject('dynamodbEndpoint'),
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    SANDBOX_TABLE: await createSandboxTable(client),
    LATE_MS: '20',
  }
  client.destroy()
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  const written = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')]
  const logged = (['log', 'info', 'warn', 'error'] as const).map((level) => vi.spyOn(console, level))

  const { handler } = await import('../../functions/sandbox/handler.ts')
  expect(read(await handler(post('k1', orderWith(CARD.charged))))).toMatchObject({ statusCode: 200, replayed: false })
  expect(read(await handler(post('k1', orderWith(CARD.charged))))).toMatchObject({ statusCode: 200, replayed: true })
  expect(read(await handler(post('k2', orderWith(CARD.answeredLate))))).toMatchObject({ statusCode: 200 })
  expect(read(await handler(list({ customer: 'cus_1' }))).body.data).toHaveLength(2)
  for (const spy of [...written, ...logged]) expect(spy).not.toHaveBeenCalled()
})

test('Its environment names the table; window and lateness may be left out', () => {
  expect(readEnvironment({ SANDBOX_TABLE: 'sandbox' })).toEqual({
    tableName: 'sandbox',
    keyWindowMs: undefined,
    lateMs: undefined,
  })
  expect(readEnvironment({ SANDBOX_TABLE: 'sandbox', KEY_WINDOW_MS: '1000', LATE_MS: '20' })).toMatchObject({
    keyWindowMs: 1000,
    lateMs: 20,
  })
})

test.each([
  [{}, 'SANDBOX_TABLE is not set'],
  [{ SANDBOX_TABLE: ' ' }, 'SANDBOX_TABLE is not set'],
  [{ SANDBOX_TABLE: 'sandbox', LATE_MS: '8s' }, 'LATE_MS is "8s", not a positive number'],
  [{ SANDBOX_TABLE: 'sandbox', KEY_WINDOW_MS: '0' }, 'KEY_WINDOW_MS is "0", not a positive number'],
])('A wrong environment is told when the function loads: %j', (variables, message) => {
  expect(() => readEnvironment(variables)).toThrow(`The sandbox's environment is wrong: ${message}`)
})
