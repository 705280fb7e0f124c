import { afterEach, expect, inject, test, vi } from 'vitest'
import { CARD } from '../../functions/sandbox/cards.ts'
import { stubAws } from '../support/fake-service.ts'
import { createSandboxTable, localClient } from '../support/tables.ts'
import { list, orderWith, post, read } from './orders.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.resetModules()
  vi.restoreAllMocks()
})

test('The function uses its table and logs nothing', async () => {
  const client = localClient(inject('dynamodbEndpoint'))
  stubAws('DYNAMODB', inject('dynamodbEndpoint'))
  vi.stubEnv('SANDBOX_TABLE', await createSandboxTable(client))
  client.destroy()
  const written = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')]
  const logged = (['log', 'info', 'warn', 'error'] as const).map((level) => vi.spyOn(console, level))

  const { handler } = await import('../../functions/sandbox/handler.ts')
  expect(read(await handler(post('k1', orderWith(CARD.charged))))).toMatchObject({ statusCode: 200, replayed: false })
  expect(read(await handler(post('k1', orderWith(CARD.charged))))).toMatchObject({ statusCode: 200, replayed: true })
  expect(read(await handler(list({ customer: 'cus_1' }))).body.data).toHaveLength(1)
  for (const spy of [...written, ...logged]) expect(spy).not.toHaveBeenCalled()
})

test('Without its table the function does not load', async () => {
  const message = 'The environment of the sandbox is wrong: SANDBOX_TABLE is not set'
  await expect(import('../../functions/sandbox/handler.ts')).rejects.toThrow(message)
})
