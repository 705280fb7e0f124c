/** One exchange of a lease request without the SDK: its connection and its time-outs. */
import { once } from 'node:events'
import { Agent, createServer, type RequestListener } from 'node:http'
import { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { expect, it, onTestFinished, vi } from 'vitest'
import { overHttp } from '../../functions/election/stores/lean-http.ts'
import { serveUntilTestEnds, startFakeService } from '../support/fake-service.ts'

const exchangeWith = (url: string) =>
  overHttp({ url: new URL(url), headers: {}, body: '{}', signal: undefined, headCame: () => undefined })

const connections = () => {
  const spy = vi.spyOn(Agent.prototype, 'createConnection')
  onTestFinished(() => spy.mockRestore())
  return spy
}
const fakeTimers = () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
}

/** Fails with this time-out, no millisecond earlier, and leaves no timer. */
async function expectTimeout(exchange: Promise<unknown>, ms: number, message: string): Promise<void> {
  const outcome = exchange.catch((error: unknown) => error)
  vi.advanceTimersByTime(ms - 1)
  expect(await Promise.race([outcome, setImmediate('pending')])).toBe('pending')
  vi.advanceTimersByTime(1)
  expect(await outcome).toMatchObject({ name: 'TimeoutError', message })
  expect(vi.getTimerCount()).toBe(0)
}

it('an address of https gets a connection by TLS', async () => {
  const server = createServer()
  const firstByte = vi.fn()
  server.on('clientError', (error, socket) => {
    firstByte(Object(Reflect.get(error, 'rawPacket'))[0])
    socket.destroy()
  })
  const url = await serveUntilTestEnds(server)
  await expect(exchangeWith(url.replace('http', 'https'))).rejects.toThrow()
  expect(firstByte).toHaveBeenCalledExactlyOnceWith(22) // a handshake
})

it('a connection serves the next request too, until it is idle for a minute', async () => {
  const created = connections()
  const { url } = await startFakeService({})
  await exchangeWith(url)
  await exchangeWith(url)
  expect(created.mock.results).toMatchObject([{ value: { timeout: 60_000 } }])
})

it.each<[string, number, RequestListener]>([
  ['sends nothing on a new connection', 0, () => undefined],
  ['sends nothing on a connection that served before', 1, () => undefined],
  ['sends only the head of an answer', 0, (_, response) => response.writeHead(200).flushHeaders()],
])('a server that %s is a time-out after two seconds', async (_, served, listener) => {
  const server = createServer({ keepAliveTimeout: 0 })
  const url = await serveUntilTestEnds(server)
  server.once('request', (_request, response) => response.end())
  if (served === 1) await exchangeWith(url)
  server.removeAllListeners('request').on('request', listener)
  fakeTimers()
  const exchange = exchangeWith(url)
  await once(server, 'request')
  await expectTimeout(exchange, 2_000, 'No answer within 2000 ms')
})

it('a connection that breaks within an answer is an error at once', async () => {
  const server = createServer((_, response) => response.writeHead(200).write('{', () => response.destroy()))
  await expect(exchangeWith(await serveUntilTestEnds(server))).rejects.toMatchObject({ code: 'ECONNRESET' })
})

it('a server that accepts no connection is a time-out after one second', async () => {
  const socket = Object.assign(new Socket(), { connecting: true })
  connections().mockReturnValue(socket)
  fakeTimers()
  const exchange = exchangeWith('http://192.0.2.1')
  await setImmediate()
  await expectTimeout(exchange, 1_000, 'No connection within 1000 ms')
  expect(socket.destroyed).toBe(true)
})

it('neither an answer nor a refused connection leaves a timer', async () => {
  fakeTimers()
  const { url } = await startFakeService({})
  await exchangeWith(url)
  expect(vi.getTimerCount()).toBe(0)
  const socket = Object.assign(new Socket(), { connecting: true })
  connections().mockReturnValue(socket)
  const exchange = exchangeWith('http://192.0.2.1')
  await setImmediate()
  socket.destroy(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))
  await expect(exchange).rejects.toThrow('refused')
  expect(vi.getTimerCount()).toBe(0)
})

it('an answer of 10 MB is read, and a longer one is an error that closes the connection', async () => {
  fakeTimers() // a busy machine takes its time
  const created = connections()
  const { url } = await startFakeService({ body: 'x'.repeat(10_000_000) }, { body: 'x'.repeat(11_000_000) })
  expect((await exchangeWith(url)).text).toHaveLength(10_000_000)
  await expect(exchangeWith(url)).rejects.toThrow('The answer has more than 10000000 bytes')
  expect(created.mock.results).toMatchObject([{ value: { destroyed: true } }])
})
