import { expect, test } from 'vitest'
import { watchGateway } from '../../../infra/local/faults/gateway-watch.ts'
import type { Call } from '../../../infra/local/lambda-host/interceptor.ts'

const orderOf = (customer: string) =>
  new URLSearchParams({
    customer,
    'metadata[plan]': 'p',
    'metadata[period]': '2024-01-31',
  })

async function scene() {
  const watch = watchGateway()
  watch.tickStarts()
  const send = async (customer: string, statusCode: number, headers: object = {}, method = 'POST') => {
    const body = { method, body: orderOf(customer).toString() }
    const call: Call = { service: 'lambda', operation: 'Invoke', target: 'sandbox', body, requestId: 'r-1' }
    const reply = { statusCode: 200, headers: {}, body: JSON.stringify({ statusCode, headers, body: '{}' }) }
    expect(await watch.intercept(call, async () => reply)).toBe(reply)
  }
  return { watch, send }
}

test('what is charged or declined is answered; what fails is not', async () => {
  const { watch, send } = await scene()
  await send('c-1', 200)
  await send('c-2', 402)
  await send('c-3', 500)
  await send('c-4', 200, {}, 'GET')
  expect(watch.answered()).toBe(2)
})

test('a repetition is told apart, and its unit counts once', async () => {
  const { watch, send } = await scene()
  await send('c-1', 200)
  await send('c-1', 200, { 'idempotent-replayed': 'true' })
  expect(watch.answered()).toBe(1)
  expect(watch.replayedRequests()).toBe(1)
})

test('a tick begins with nothing; repetitions are counted over the whole run', async () => {
  const { watch, send } = await scene()
  await send('c-1', 200)
  await send('c-1', 200, { 'idempotent-replayed': 'true' })
  watch.tickStarts()
  expect(watch.answered()).toBe(0)
  expect(watch.replayedRequests()).toBe(1)
})
