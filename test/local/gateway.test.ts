import { afterEach, describe, expect, test } from 'vitest'
import { type GatewayOptions, type LocalGateway, startGateway } from '../../infra/local/gateway.ts'

const CHARGE = { customer: 'cus_1', plan: 'plus', period: '2024-01-31', amountMinor: 1999, currency: 'EUR' }

let gateway: LocalGateway | undefined
afterEach(async () => {
  await gateway?.stop()
  gateway = undefined
})

async function start(options: GatewayOptions = {}) {
  const started = await startGateway(options)
  gateway = started
  const post = async (key: string | undefined, body: unknown) => {
    const response = await fetch(`${started.url}/charges`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    const replayed = response.headers.get('idempotent-replayed') === 'true'
    return { status: response.status, replayed, body: await response.json() }
  }
  const find = async (query: Record<string, string>) =>
    (await fetch(`${started.url}/charges?${new URLSearchParams(query)}`)).json()
  return { ...started, post, find }
}

describe('The local gateway', () => {
  test('charges once for a key and gives the same answer to its repetitions', async () => {
    const { post, charges, replayedRequests, duplicateCharges } = await start()
    const first = await post('k1', CHARGE)
    const second = await post('k1', CHARGE)
    expect(first).toMatchObject({ status: 201, replayed: false, body: { id: 'ch_000001', ...CHARGE } })
    expect(second).toEqual({ ...first, replayed: true })
    expect(charges()).toEqual([{ id: 'ch_000001', key: 'k1', ...CHARGE }])
    expect(replayedRequests()).toBe(1)
    expect(duplicateCharges()).toBe(0)
  })

  test('counts a second charge of the same business unit as a duplicate, whatever its key', async () => {
    const { post, duplicateCharges } = await start()
    await post('k1', CHARGE)
    await post('k2', CHARGE)
    await post('k3', { ...CHARGE, period: '2024-02-29' })
    expect(duplicateCharges()).toBe(1)
  })

  test('refuses a key that is used again with another body', async () => {
    const { post, charges } = await start()
    await post('k1', CHARGE)
    const answer = await post('k1', { ...CHARGE, amountMinor: 1 })
    expect(answer).toMatchObject({ status: 422, body: { error: { code: 'idempotency_key_reused' } } })
    expect(charges()).toHaveLength(1)
  })

  test('answers 409 while the first request with the key is in work', async () => {
    let release = () => {}
    let charged = () => {}
    const isCharged = new Promise<void>((resolve) => (charged = resolve))
    const { post, charges } = await start({
      beforeReply: () => {
        charged()
        return new Promise((resolve) => (release = resolve))
      },
    })
    const first = post('k1', CHARGE)
    await isCharged
    expect((await post('k1', CHARGE)).status).toBe(409)
    release()
    expect((await first).status).toBe(201)
    expect(charges()).toHaveLength(1)
  })

  test('keeps declines and failures under the key, but not an outage', async () => {
    const decisions = { cus_1: 'declined', cus_2: 'failed', cus_3: 'unavailable' } as const
    const { post, charges } = await start({
      decide: ({ customer }) => Object.entries(decisions).find(([name]) => name === customer)?.[1] ?? 'charged',
    })
    const statuses = []
    for (const customer of Object.keys(decisions)) {
      for (const _ of [1, 2]) {
        const { status, replayed } = await post(customer, { ...CHARGE, customer })
        statuses.push([status, replayed])
      }
    }
    expect(statuses).toEqual([
      [402, false],
      [402, true],
      [500, false],
      [500, true],
      [503, false],
      [503, false],
    ])
    expect(charges()).toEqual([])
  })

  test('forgets a key after its window, and then charges again', async () => {
    let nowMs = 0
    const { post, duplicateCharges } = await start({ keyWindowMs: 1000, now: () => nowMs })
    await post('k1', CHARGE)
    nowMs = 999
    expect((await post('k1', CHARGE)).replayed).toBe(true)
    nowMs = 1000
    expect(await post('k1', CHARGE)).toMatchObject({ status: 201, replayed: false })
    expect(duplicateCharges()).toBe(1)
  })

  test('finds the charges of a business unit', async () => {
    const { post, find } = await start()
    await post('k1', CHARGE)
    const { customer, plan, period } = CHARGE
    expect(await find({ customer, plan, period })).toMatchObject({ charges: [{ id: 'ch_000001' }] })
    expect(await find({ customer, plan, period: '2024-02-29' })).toEqual({ charges: [] })
  })

  test('loses the reply, not the charge, where it is told to', async () => {
    const { post, charges } = await start({ loseReply: (_charge, nth) => nth === 1 })
    await expect(post('k1', CHARGE)).rejects.toThrow()
    expect(charges()).toHaveLength(1)
    expect((await post('k1', CHARGE)).replayed).toBe(true)
  })

  test.each([
    ['customer', { ...CHARGE, customer: '' }],
    ['plan', { ...CHARGE, plan: 7 }],
    ['period', { ...CHARGE, period: undefined }],
    ['amountMinor', { ...CHARGE, amountMinor: 19.99 }],
    ['amountMinor', { ...CHARGE, amountMinor: 0 }],
    ['currency', { ...CHARGE, currency: 'euro' }],
  ])('refuses a wrong %s by name and remembers nothing', async (param, body) => {
    const { post, charges } = await start()
    expect(await post('k1', body)).toMatchObject({ status: 400, body: { error: { code: 'parameter_invalid', param } } })
    expect((await post('k1', CHARGE)).status).toBe(201)
    expect(charges()).toHaveLength(1)
  })

  test('refuses what is no charge at all', async () => {
    const { post, url } = await start()
    expect((await post('k1', '{')).status).toBe(400)
    expect((await post('k1', 'null')).status).toBe(400)
    expect((await post(undefined, CHARGE)).status).toBe(400)
    expect((await post('k1', 'x'.repeat(70_000))).status).toBe(413)
    expect((await fetch(`${url}/refunds`)).status).toBe(404)
    expect((await fetch(`${url}/charges`, { method: 'DELETE' })).status).toBe(405)
  })

  test('stops at once, with requests under way', async () => {
    const { post, stop } = await start({ delayMs: 60_000 })
    const lost = expect(post('k1', CHARGE)).rejects.toThrow()
    await stop()
    await lost
    gateway = undefined
  })

  test('says when its port is in use', async () => {
    const { url } = await start()
    await expect(startGateway({ port: Number(new URL(url).port) })).rejects.toThrow('EADDRINUSE')
  })
})
