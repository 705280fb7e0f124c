import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Event, Label, Try } from './history.ts'
import { NETWORK_FAULTS, type NetworkFault, networkFault } from './network/faults.ts'
import { NOTE_HEADER } from './network/passage.ts'
import { Network } from './network/proxy.ts'

const label: Label = { as: 'effect', op: 'ann-1', fencingToken: 7 }

let upstream: Server
let network: Network
let received: string[]
let written: Event[]

beforeEach(async () => {
  received = []
  written = []
  upstream = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      received.push(body)
      response.end('{"Attributes":{"fencingToken:billing":{"N":"6"}}}')
    })
  }).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const address = upstream.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const file = { write: (event: Event) => void written.push(event), close: () => {} }
  network = await Network.start(`http://127.0.0.1:${port}`, file, 'billing')
})

afterEach(async () => {
  await network.stop()
  upstream.close()
})

/** Gives the status, or undefined where the connection broke. */
async function send(request = 'ann-r1', fields = {}): Promise<number | undefined> {
  const note = encodeURIComponent(JSON.stringify({ who: 'ann', request, label }))
  const init = {
    method: 'POST',
    body: JSON.stringify({ TableName: 'rows', ...fields }),
    headers: { [NOTE_HEADER]: note },
  }
  try {
    const reply = await fetch(network.endpoint, init)
    await reply.text()
    return reply.status
  } catch {
    return undefined
  }
}

async function strike(name: NetworkFault, tries = 1) {
  const met = network.meet({ name, tries, matches: () => true, fault: networkFault(name, 20) }, 1_000)
  const status = await send()
  await met
  await network.drained()
  return { status, tries: written.filter((event): event is Try => event.kind === 'try') }
}

it('without a fault a request arrives once, and its answer is written down', async () => {
  expect(await send('ann-r1', { ClientRequestToken: 't-1' })).toBe(200)
  await network.drained()
  expect(received).toHaveLength(1)
  expect(written).toMatchObject([
    {
      who: 'ann',
      request: 'ann-r1',
      label,
      transaction: 't-1',
      outcome: 'ok',
      answer: { outcome: 'ok', seenToken: 6 },
    },
  ])
})

const ARRIVALS: Readonly<Record<NetworkFault, { readonly arrive: number; readonly status: number | undefined }>> = {
  'request lost': { arrive: 0, status: undefined },
  'reply lost': { arrive: 1, status: undefined },
  'request delayed': { arrive: 1, status: 200 },
  'reply delayed': { arrive: 1, status: 200 },
  duplicated: { arrive: 2, status: 200 },
  'request cut': { arrive: 0, status: undefined },
  'reply cut': { arrive: 1, status: undefined },
  throttled: { arrive: 0, status: 400 },
  'error before commit': { arrive: 0, status: 500 },
  'error after commit': { arrive: 1, status: 500 },
  'transaction conflict': { arrive: 0, status: 400 },
}

for (const name of NETWORK_FAULTS) {
  const { arrive, status } = ARRIVALS[name]
  const client = status === undefined ? 'gets no answer' : `is answered ${status}`
  it(`${name}: the request arrives ${arrive === 1 ? 'once' : `${arrive} times`}, and the client ${client}`, async () => {
    const struck = await strike(name)
    expect(struck.status).toBe(status)
    expect(received).toHaveLength(arrive)
    const [first] = struck.tries
    expect(first).toMatchObject({ fault: name, outcome: status === 200 ? 'ok' : status === 400 ? 'error' : 'open' })
    expect(first?.withheld?.outcome).toBe(arrive > 0 && status !== 200 ? 'ok' : undefined)
  })
}

it('it is written down when a request was let go on, and that one was not', async () => {
  const { tries: lost } = await strike('request lost')
  expect(lost.map(({ forwardedAtMs }) => forwardedAtMs)).toEqual([undefined])
  written = []
  const [delayed] = (await strike('request delayed')).tries
  expect((delayed?.forwardedAtMs ?? 0) - (delayed?.invokedAtMs ?? 0)).toBeGreaterThan(15)
  expect(delayed?.answer?.atMs).toBeGreaterThan(delayed?.forwardedAtMs ?? 0)
})

it('a request that does not say what it is for goes no further, and is told of', async () => {
  const reply = await fetch(network.endpoint, { method: 'POST', body: '{}', headers: { 'x-amz-target': 'ListTables' } })
  expect(reply.status).toBe(400)
  expect(received).toEqual([])
  expect(network.troubles).toEqual(['A request came without a note of what it is for: ListTables.'])
})

it('a copy that the network made is written down as its own, without an answer to anybody', async () => {
  const { tries } = await strike('duplicated')
  expect(tries.map(({ who, outcome, withheld }) => [who, outcome, withheld?.outcome])).toEqual([
    ['ann', 'ok', undefined],
    ['the network', 'open', 'ok'],
  ])
})

it('a fault that is to hit all tries of a request leaves other requests alone', async () => {
  const met = network.meet(
    { name: 'lost', tries: 2, matches: () => true, fault: networkFault('request lost', 0) },
    1_000,
  )
  expect(await send('ann-r1')).toBeUndefined()
  expect(await send('ann-r2')).toBe(200)
  expect(await send('ann-r1')).toBeUndefined()
  expect(await send('ann-r1')).toBe(200)
  expect(await met).toMatchObject({ request: 'ann-r1' })
})

it('a request that is spared meets no fault; the next one does', async () => {
  const met = network.meet({ tries: 1, matches: () => true, fault: networkFault('request lost', 0) }, 1_000)
  {
    using _spared = network.spare(({ request }) => request === 'ann-r1')
    expect(await send('ann-r1')).toBe(200)
  }
  expect(await send('ann-r1')).toBeUndefined()
  expect(await met).toMatchObject({ request: 'ann-r1' })
})

it('where no request matches in time, the fault is called off', async () => {
  expect(
    await network.meet({ tries: 1, matches: () => false, fault: networkFault('request lost', 0) }, 10),
  ).toBeUndefined()
})
