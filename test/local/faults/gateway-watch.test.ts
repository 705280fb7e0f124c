import { expect, test } from 'vitest'
import { GatewayWatch } from '../../../infra/local/faults/planned-faults.ts'
import { gatewayCall, jsonReply } from '../observe/wire.ts'

const REPLAYED = { 'idempotent-replayed': 'true' }

function scene() {
  const watch = new GatewayWatch()
  const send = async (customer: string, statusCode: number, headers: object = {}, method = 'POST') => {
    const form = new URLSearchParams({ customer, 'metadata[plan]': 'p', 'metadata[period]': '2024-01-31' })
    const call = { ...gatewayCall(), body: { method, body: form.toString() } }
    const reply = jsonReply({ statusCode, headers, body: '{}' })
    expect(await watch.intercept(call, async () => reply)).toBe(reply)
  }
  return { watch, send }
}

test('charged and declined units are answered; failures and lookups are not', async () => {
  const { watch, send } = scene()
  await send('c-1', 200)
  await send('c-2', 402)
  await send('c-3', 500)
  await send('c-4', 200, {}, 'GET')
  expect(watch.answered()).toBe(2)
})

test('a unit counts once per tick, and repeated answers count over the whole run', async () => {
  const { watch, send } = scene()
  await send('c-1', 200)
  await send('c-1', 200, REPLAYED)
  expect([watch.answered(), watch.replayedRequests()]).toEqual([1, 1])
  watch.tickStarts()
  expect([watch.answered(), watch.replayedRequests()]).toEqual([0, 1])
})
