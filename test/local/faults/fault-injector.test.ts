import { describe, expect, test } from 'vitest'
import type { CallKind } from '../../../infra/local/faults/calls.ts'
import type { Deed, Fault } from '../../../infra/local/faults/fault.ts'
import { createStriker } from '../../../infra/local/faults/fault-injector.ts'
import type { Call, Reply } from '../../../infra/local/lambda-host/interceptor.ts'

const DONE: Reply = { statusCode: 200, headers: {}, body: 'done' }

const RUNNING = ['leader', 'other']

/** A striker, what it did to processes and servers in order, and calls of a kind in a row. */
function scene(faults: readonly Fault[], wakeAnother = async (_requestId: string) => {}) {
  const events: string[] = []
  const struck: (readonly [Fault, requestId: string])[] = []
  const act = (what: string) => (requestId: string) => {
    if (RUNNING.includes(requestId)) events.push(`${what} ${requestId}`)
    return RUNNING.includes(requestId)
  }
  const stopping = new AbortController()
  const striker = createStriker({
    kindOf: ({ operation }) => KINDS.find((kind) => kind === operation),
    processes: { kill: async (requestId) => act('kill')(requestId), freeze: act('freeze'), thaw: act('thaw') },
    onStrike: (...what) => struck.push(what),
    wakeAnother: async (requestId) => {
      events.push(`rival of ${requestId} woken`)
      await wakeAnother(requestId)
      events.push('rival done')
    },
    pastLeaseMs: 5,
    signal: stopping.signal,
  })
  striker.tickStarts(faults)
  const send = (kind: string, requestId = 'leader') => {
    const call: Call = {
      service: kind === 'charge' ? 'lambda' : 'dynamodb',
      operation: kind,
      target: '',
      body: {},
      requestId,
    }
    return striker.intercept(call, async () => {
      events.push(`${kind} arrives`)
      return DONE
    })
  }
  return { events, struck, striker, send, stopping }
}

const KINDS: readonly CallKind[] = ['lease', 'claim', 'charge', 'unknown']
const faultAt = (at: CallKind, deed: Deed, nth = 1): Fault => ({ tick: 1, at, nth, ...deed })

test('only the planned call is struck, and calls of another kind are not counted', async () => {
  const { send, events, struck } = scene([faultAt('claim', { what: 'drop' }, 2)])
  expect(await send('claim')).toEqual(DONE)
  expect(await send('lease')).toEqual(DONE)
  expect(await send('Query')).toEqual(DONE)
  expect(struck).toEqual([])
  expect(await send('claim')).toBe('hangUp')
  expect(await send('claim')).toEqual(DONE)
  expect(events).toEqual(['claim arrives', 'lease arrives', 'Query arrives', 'claim arrives'])
  expect(struck).toHaveLength(1)
})

test('a strike is told with its fault, and with the request that it hit', async () => {
  const [dropped, killed] = [faultAt('claim', { what: 'drop' }), faultAt('claim', { what: 'kill', when: 'after' }, 2)]
  const { send, struck, striker } = scene([dropped, killed])
  await send('claim', 'other')
  await send('claim')
  expect(struck).toEqual([
    [dropped, 'other'],
    [killed, 'leader'],
  ])
  expect(striker.struck()).toEqual([dropped, killed])
})

test('every tick counts from one', async () => {
  const { send, striker } = scene([])
  await send('claim')
  striker.tickStarts([faultAt('claim', { what: 'drop' })])
  expect(await send('claim')).toBe('hangUp')
})

describe('a leader is killed', () => {
  test('before its call arrives', async () => {
    const { send, events } = scene([faultAt('claim', { what: 'kill', when: 'before' })])
    expect(await send('claim')).toBe('hangUp')
    expect(events).toEqual(['kill leader'])
  })

  test('after its call was carried out and before it is told', async () => {
    const { send, events } = scene([faultAt('charge', { what: 'kill', when: 'after' })])
    expect(await send('charge')).toBe('hangUp')
    expect(events).toEqual(['charge arrives', 'kill leader'])
  })

  test('only where it still runs: otherwise nothing has happened, and the call is carried out once', async () => {
    for (const when of ['before', 'after'] as const) {
      const { send, events, struck } = scene([faultAt('claim', { what: 'kill', when })])
      expect(await send('claim', 'gone')).toEqual(DONE)
      expect(events).toEqual(['claim arrives'])
      expect(struck).toEqual([])
    }
  })
})

describe('a frozen leader', () => {
  test('is thawed when a rival has had its turn; then its write goes on', async () => {
    const { send, events } = scene([faultAt('unknown', { what: 'freeze', when: 'before' })])
    expect(await send('unknown')).toEqual(DONE)
    expect(events).toEqual(['freeze leader', 'rival of leader woken', 'rival done', 'thaw leader', 'unknown arrives'])
  })

  test('gets its reply after the thaw where its call was carried out before', async () => {
    const { send, events } = scene([faultAt('claim', { what: 'freeze', when: 'after' })])
    expect(await send('claim')).toEqual(DONE)
    expect(events).toEqual(['claim arrives', 'freeze leader', 'rival of leader woken', 'rival done', 'thaw leader'])
  })

  test('sleeps for as long as the rival works, whose own calls go through', async () => {
    const rival = Promise.withResolvers<void>()
    const { send, events } = scene([faultAt('claim', { what: 'freeze', when: 'before' })], () => rival.promise)
    const held = send('claim')
    await expect.poll(() => events).toContain('rival of leader woken')
    expect(await send('claim', 'other')).toEqual(DONE)
    expect(events).not.toContain('thaw leader')
    rival.resolve()
    expect(await held).toEqual(DONE)
    expect(events.slice(-2)).toEqual(['thaw leader', 'claim arrives'])
  })

  test('is one that still runs: for one that has ended nobody is woken, and its call is carried out once', async () => {
    for (const when of ['before', 'after'] as const) {
      const { send, events, struck } = scene([faultAt('claim', { what: 'freeze', when })])
      expect(await send('claim', 'gone')).toEqual(DONE)
      expect(events).toEqual(['claim arrives'])
      expect(struck).toEqual([])
    }
  })

  test('does not keep a run that ends from ending, and wakes nobody then', async () => {
    const { send, stopping, events } = scene([faultAt('claim', { what: 'freeze', when: 'before' })])
    stopping.abort()
    expect(await send('claim')).toEqual(DONE)
    expect(events).toEqual(['freeze leader', 'thaw leader', 'claim arrives'])
  })
})

describe('a call', () => {
  test('whose reply is lost was carried out', async () => {
    const { send, events } = scene([faultAt('claim', { what: 'loseReply' })])
    expect(await send('claim')).toBe('hangUp')
    expect(events).toEqual(['claim arrives'])
  })

  test('to the gateway whose reply is lost was carried out, and the client hears that something failed', async () => {
    const { send, events } = scene([faultAt('charge', { what: 'loseReply' })])
    expect(await send('charge')).toMatchObject({ statusCode: 200, body: expect.stringContaining('"statusCode":504') })
    expect(events).toEqual(['charge arrives'])
  })

  test('that the gateway refuses never arrives', async () => {
    const { send, events } = scene([faultAt('charge', { what: 'refuse' })])
    expect(await send('charge')).toMatchObject({ body: expect.stringContaining('"statusCode":503') })
    expect(events).toEqual([])
  })

  test('is throttled several times in a row without arriving, and that is one fault', async () => {
    const { send, events, struck } = scene([faultAt('claim', { what: 'throttle', times: 2 })])
    for (const _ of [1, 2]) {
      expect(await send('claim')).toMatchObject({
        statusCode: 400,
        body: expect.stringContaining('ThrottlingException'),
      })
    }
    expect(await send('claim')).toEqual(DONE)
    expect(events).toEqual(['claim arrives'])
    expect(struck).toHaveLength(1)
  })

  test('whose reply is late was carried out at once, and the wait ends with the run', async () => {
    const { send, events, struck, stopping } = scene([faultAt('charge', { what: 'delay' })])
    let isAnswered = false
    const late = send('charge').finally(() => {
      isAnswered = true
    })
    await expect.poll(() => struck).toHaveLength(1)
    expect(events).toEqual(['charge arrives'])
    expect(isAnswered).toBe(false)
    stopping.abort()
    expect(await late).toEqual(DONE)
  })
})
