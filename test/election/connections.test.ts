/** How many effects may be under way at once, by the handler and the agent of the caller's client. */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { expect, it } from 'vitest'
import { connectionsThrough } from '../../functions/election/stores/connections.ts'

const SENT = 100
const TEN = { maxSockets: 10 }

class HandlerOfTheSdk {
  static readonly checkSocketUsage = () => undefined
  readonly configProvider: Promise<object>
  constructor(options: object) {
    this.configProvider = Promise.resolve(options)
  }
  handle(_request: object, onStart: unknown): Promise<never> {
    Reflect.apply(Object(onStart), undefined, [])
    return new Promise(() => {})
  }
}
const { handle } = HandlerOfTheSdk.prototype
const wrapped = (options: object) => Object.assign(new HandlerOfTheSdk(options), { handle })
class ProxyAgent extends HttpsAgent {}
const throughTunnel = () => Object.assign(new HttpAgent(TEN), { createConnection: () => undefined })

it.each([
  ['as many as a plain agent connects', 'http:', new HandlerOfTheSdk({ httpAgent: new HttpAgent(TEN) }), 10],
  ['as many as a plain agent connects', 'https:', new HandlerOfTheSdk({ httpsAgent: new HttpsAgent(TEN) }), 10],
  ['all with an agent without a limit', 'https:', new HandlerOfTheSdk({ httpsAgent: new HttpsAgent() }), SENT],
  ['nine of ten with an agent for a proxy', 'https:', new HandlerOfTheSdk({ httpsAgent: new ProxyAgent(TEN) }), 9],
  [
    'nine of ten with an agent that connects in its own way',
    'http:',
    new HandlerOfTheSdk({ httpAgent: throughTunnel() }),
    9,
  ],
  ['nine of ten if the handler of the SDK is wrapped', 'http:', wrapped({ httpAgent: new HttpAgent(TEN) }), 9],
  ['45 with a handler that says nothing of itself', 'https:', { handle }, 45],
])('%s, by %s', async (_, protocol, handler, atOnce) => {
  let started = 0
  const { effects } = connectionsThrough(handler)
  for (let sent = 0; sent < SENT; sent++) void effects.handle({ protocol }, () => void started++)
  await new Promise((resolve) => setImmediate(resolve))
  expect(started).toBe(atOnce)
})

it('lease requests of a handler without an agent are 50 at once', async () => {
  let started = 0
  const { leases } = connectionsThrough(new HandlerOfTheSdk({}))
  for (let sent = 0; sent < SENT; sent++) void leases.handle({ protocol: 'https:' }, () => void started++)
  await new Promise((resolve) => setImmediate(resolve))
  expect(started).toBe(50)
})
