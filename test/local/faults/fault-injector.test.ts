import { expect, test } from 'vitest'
import type { CallAction, CallFault, CallKind } from '../../../infra/local/faults/fault.ts'
import { FaultInjector } from '../../../infra/local/faults/fault-injector.ts'
import type { Call, Reply } from '../../../infra/local/lambda-host/interceptor.ts'

const DONE: Reply = { statusCode: 200, headers: {}, body: 'done' }
const RUNNING = ['leader', 'other']
const KINDS: readonly CallKind[] = ['lease', 'claim', 'charge', 'unknown']

/** An injector, the events it causes in order, and a function that sends a call of a kind. */
function scene(faults: readonly CallFault[], deliverAgain = async (_requestId: string) => {}) {
  const events: string[] = []
  const injected: (readonly [CallFault, requestId: string])[] = []
  const stopping = new AbortController()
  const signal = (name: string) => (requestId: string) => {
    if (RUNNING.includes(requestId)) events.push(`${name} ${requestId}`)
    return RUNNING.includes(requestId)
  }
  const injector = new FaultInjector({
    kindOf: ({ operation }) => KINDS.find((kind) => kind === operation),
    processes: { kill: async (requestId) => signal('kill')(requestId), freeze: signal('freeze'), thaw: signal('thaw') },
    onFault: (...fault) => injected.push(fault),
    deliverAgain: async (requestId) => {
      events.push(`rival of ${requestId} invoked`)
      await deliverAgain(requestId)
      events.push('rival done')
    },
    pastLeaseMs: 5,
    signal: stopping.signal,
  })
  injector.tickStarts(faults)
  const send = (kind: string, requestId = 'leader') => {
    const service = kind === 'charge' ? 'lambda' : 'dynamodb'
    const call: Call = { service, operation: kind, target: '', body: {}, requestId }
    return injector.intercept(call, async () => {
      events.push(`${kind} arrives`)
      return DONE
    })
  }
  return { events, injected, injector, send, stopping }
}

const faultAt = (at: CallKind, action: CallAction, nth = 1): CallFault => ({ tick: 1, at, nth, ...action })
const gatewayStatus = (statusCode: number) => ({
  statusCode: 200,
  body: expect.stringContaining(`"statusCode":${statusCode}`),
})
const THROTTLED = { statusCode: 400, body: expect.stringContaining('ThrottlingException') }
/** From the freeze to the thaw. */
const FROZEN = ['freeze leader', 'rival of leader invoked', 'rival done', 'thaw leader']

test('only the planned call is hit, and calls of other kinds do not count', async () => {
  const fault = faultAt('claim', { do: 'dropRequest' }, 2)
  const { send, events, injected, injector } = scene([fault])
  for (const kind of ['claim', 'lease', 'Query']) expect(await send(kind)).toEqual(DONE)
  expect(injected).toEqual([])
  expect(await send('claim', 'other')).toBe('hangUp')
  expect(await send('claim')).toEqual(DONE)
  expect(events).toEqual(['claim arrives', 'lease arrives', 'Query arrives', 'claim arrives'])
  expect(injected).toEqual([[fault, 'other']])
  expect(injector.injected()).toEqual([fault])
})

test('every tick counts from one', async () => {
  const { send, injector } = scene([])
  await send('claim')
  injector.tickStarts([faultAt('claim', { do: 'dropRequest' })])
  expect(await send('claim')).toBe('hangUp')
})

const KILL = { do: 'killLeader' } as const
const FREEZE = { do: 'freezeLeader' } as const
test.each<[string, CallKind, CallAction, unknown, readonly string[]]>([
  ['killed before its call', 'claim', { ...KILL, when: 'before' }, 'hangUp', ['kill leader']],
  ['killed before the reply', 'charge', { ...KILL, when: 'after' }, 'hangUp', ['charge arrives', 'kill leader']],
  ['frozen before its call', 'unknown', { ...FREEZE, when: 'before' }, DONE, [...FROZEN, 'unknown arrives']],
  ['frozen before the reply', 'claim', { ...FREEZE, when: 'after' }, DONE, ['claim arrives', ...FROZEN]],
  ['without the reply to its write', 'claim', { do: 'dropReply' }, 'hangUp', ['claim arrives']],
  ['charged, but answered with 504', 'charge', { do: 'dropReply' }, gatewayStatus(504), ['charge arrives']],
  ['refused by the gateway', 'charge', { do: 'refuse' }, gatewayStatus(503), []],
])('a leader is %s', async (_, kind, action, reply, expected) => {
  const { send, events, injected } = scene([faultAt(kind, action)])
  const received = await send(kind)
  if (typeof reply === 'string') expect(received).toBe(reply)
  else expect(received).toMatchObject(Object(reply))
  expect(events).toEqual(expected)
  expect(injected).toHaveLength(1)
})

test('several throttled calls in a row are one fault', async () => {
  const { send, events, injected } = scene([faultAt('claim', { do: 'throttle', times: 2 })])
  for (const reply of [THROTTLED, THROTTLED, DONE]) expect(await send('claim')).toMatchObject(reply)
  expect(events).toEqual(['claim arrives'])
  expect(injected).toHaveLength(1)
})

test.each([KILL, FREEZE].flatMap((fault) => (['before', 'after'] as const).map((when) => ({ ...fault, when }))))(
  '$do $when a call of an invocation that has ended does nothing, and the call arrives once',
  async (action) => {
    const { send, events, injected } = scene([faultAt('claim', action)])
    expect(await send('claim', 'gone')).toEqual(DONE)
    expect(events).toEqual(['claim arrives'])
    expect(injected).toEqual([])
  },
)

test('a frozen leader stays frozen while the rival works, whose own calls arrive', async () => {
  const rival = Promise.withResolvers<void>()
  const { send, events } = scene([faultAt('claim', { ...FREEZE, when: 'before' })], () => rival.promise)
  const held = send('claim')
  await expect.poll(() => events).toContain('rival of leader invoked')
  expect(await send('claim', 'other')).toEqual(DONE)
  expect(events).not.toContain('thaw leader')
  rival.resolve()
  expect(await held).toEqual(DONE)
  expect(events.slice(-2)).toEqual(['thaw leader', 'claim arrives'])
})

test('a frozen leader is thawed without a rival when the run ends', async () => {
  const { send, stopping, events } = scene([faultAt('claim', { ...FREEZE, when: 'before' })])
  stopping.abort()
  expect(await send('claim')).toEqual(DONE)
  expect(events).toEqual(['freeze leader', 'thaw leader', 'claim arrives'])
})

test('a delayed reply belongs to a call that was applied at once, and arrives when the run ends', async () => {
  const { send, events, injected, stopping } = scene([faultAt('charge', { do: 'delayReply' })])
  let isAnswered = false
  const late = send('charge').finally(() => {
    isAnswered = true
  })
  await expect.poll(() => injected).toHaveLength(1)
  expect(events).toEqual(['charge arrives'])
  expect(isAnswered).toBe(false)
  stopping.abort()
  expect(await late).toEqual(DONE)
})
