import { describe, expect, test } from 'vitest'
import type { CallKind } from '../../../infra/local/faults/calls.ts'
import type { Deed, Fault } from '../../../infra/local/faults/fault.ts'
import { type LateCandidate, lateCandidate } from '../../../infra/local/faults/late-candidate.ts'
import { createStriker } from '../../../infra/local/faults/strike.ts'
import type { Call, Reply } from '../../../infra/local/host/interceptor.ts'

const DONE: Reply = { statusCode: 200, headers: {}, body: 'done' }

/** A striker, what it did to processes and servers in order, and calls of a kind in a row. */
function scene(faults: readonly Fault[], late?: LateCandidate, running: readonly string[] = ['leader']) {
  const events: string[] = []
  const struck: Fault[] = []
  const act = (what: string) => (requestId: string) => {
    if (running.includes(requestId)) events.push(`${what} ${requestId}`)
    return running.includes(requestId)
  }
  const stopping = new AbortController()
  const striker = createStriker({
    kindOf: ({ operation }) => KINDS.find((kind) => kind === operation),
    processes: { kill: async (requestId) => act('kill')(requestId), freeze: act('freeze'), thaw: act('thaw') },
    onStrike: (fault) => struck.push(fault),
    pastLeaseMs: 5,
    signal: stopping.signal,
  })
  striker.tickStarts(faults, late)
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

test('every tick counts from one', async () => {
  const { send, striker } = scene([])
  await send('claim')
  striker.tickStarts([faultAt('claim', { what: 'drop' })], undefined)
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
  const turn = (late: LateCandidate, events: string[]) =>
    late.isCalled.then(() => {
      events.push('the late candidate has its turn')
      late.turnIsOver()
    })

  test('is thawed when the late candidate has had its turn; then its write goes on', async () => {
    const late = lateCandidate()
    const { send, events } = scene([faultAt('unknown', { what: 'freeze', when: 'before' })], late)
    const turned = turn(late, events)
    expect(await send('unknown')).toEqual(DONE)
    await turned
    expect(events).toEqual(['freeze leader', 'the late candidate has its turn', 'thaw leader', 'unknown arrives'])
  })

  test('gets its reply after the thaw where its call was carried out before', async () => {
    const late = lateCandidate()
    const { send, events } = scene([faultAt('claim', { what: 'freeze', when: 'after' })], late)
    void turn(late, events)
    expect(await send('claim')).toEqual(DONE)
    expect(events).toEqual(['claim arrives', 'freeze leader', 'the late candidate has its turn', 'thaw leader'])
  })

  test('does not keep a run that ends from ending', async () => {
    const late = lateCandidate()
    const { send, stopping, events } = scene([faultAt('claim', { what: 'freeze', when: 'before' })], late)
    void turn(late, events)
    stopping.abort()
    expect(await send('claim')).toEqual(DONE)
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
