import middy from '@middy/core'
import * as v from 'valibot'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  CheckpointError,
  type Continuation,
  type ContinueBy,
  HandOverError,
  HandOverRequestedError,
  InvalidOptionError,
  type LeaderHandler,
  LeaseLostError,
  LeaseStillHeldError,
  leaderOnly,
  type TickedLease,
  withLease,
} from '../../functions/election/index.ts'
import { selfInvoke } from '../../functions/election/self-invoke.ts'
import { lambdaContext } from '../../functions/election/testing/lambda-context.ts'
import { settled } from '../../functions/election/testing/manual-clock.ts'
import { clock, noAnswer, options, row, startAnew, store } from './scripted.ts'

const TICK = '2026-11-21T05:00:00.000Z'
const LATER_TICK = '2026-11-21T06:00:00.000Z'

let started: Continuation[] = []
const start: ContinueBy = async (continuation) => void started.push(continuation)

beforeEach(() => {
  startAnew()
  started = []
})

const handingOver = (changes: object = {}) => ({
  ...options({ tick: TICK, schedule: 'rate(1 hour)', continueBy: start, ...changes }),
  tick: TICK,
})
const invocation = (awsRequestId: string, remainingMs = 60_000) =>
  lambdaContext({ awsRequestId, getRemainingTimeInMillis: () => remainingMs })

const handOverAt = (page: number) => (lease: TickedLease<number>) => lease.handOver(page)

describe('lease.handOver', () => {
  it('releases the lease with the state, reserves it for the next invocation and starts that', async () => {
    const outcome = await withLease(handingOver({ context: invocation('first') }), handOverAt(3))
    expect(outcome).toMatchObject({ status: 'continued' })
    expect(store.asked).toEqual(['acquire', 'release'])
    expect(started).toMatchObject([{ lease: 'billing', tick: TICK, context: { awsRequestId: 'first' } }])
    expect(row()).toMatchObject({
      endedBy: 'continued',
      reservedFor: started[0]?.id,
      reservedUntilMs: clock.wallMs() + 120_000,
      checkpoint: { tick: TICK, state: 3, continuations: 1, sinceMs: clock.wallMs() },
    })
    expect(row()).not.toHaveProperty('holder')
  })

  it('is continued by the invocation that presents the id, until one completes the tick', async () => {
    const seen: unknown[] = []
    const beganMs = clock.wallMs()
    for (const page of [1, 2, 3]) {
      const continuation = started.at(-1)?.id
      await withLease(handingOver({ continuation }), async (lease) => {
        seen.push(lease.checkpoint)
        await lease.saveCheckpoint(page)
        if (page < 3) await lease.handOver(page)
      })
      await clock.advance(1_000)
    }
    expect(seen).toEqual([undefined, 1, 2])
    expect(store.writes.at(-2)).toMatchObject({ checkpoint: { continuations: 2, sinceMs: beganMs } })
    expect(row()).toMatchObject({ completedTick: TICK, endedBy: 'completed' })
    expect(row()).not.toHaveProperty('checkpoint')
  })

  it('checks the state by the schema, and saves its version; the next invocation reads it so', async () => {
    const schema = v.pipeAsync(
      v.number(),
      v.checkAsync(async (page) => settled().then(() => page > 0)),
    )
    const checkpoint = { version: 2, schema, migrate: () => 99 }
    await expect(withLease({ ...handingOver(), checkpoint }, handOverAt(0))).rejects.toThrow(CheckpointError)
    expect([row()?.endedBy, started]).toEqual(['failed', []])
    // Not awaited: the lease is handed over all the same.
    await withLease({ ...handingOver(), checkpoint }, (lease) => void lease.handOver(3))
    expect(row()).toMatchObject({ endedBy: 'continued', checkpoint: { version: 2, state: 3, continuations: 1 } })
    const next = { ...handingOver({ continuation: started[0]?.id }), checkpoint }
    expect(await withLease(next, (lease) => lease.checkpoint)).toMatchObject({ result: 3 })
  })

  it('of a state that migrate discarded is the first of new work', async () => {
    await withLease(handingOver(), handOverAt(7))
    const checkpoint = { version: 2, schema: v.number(), migrate: () => undefined }
    await withLease({ ...handingOver({ continuation: started[0]?.id }), checkpoint }, handOverAt(1))
    expect(row()?.checkpoint).toMatchObject({ state: 1, continuations: 1 })
  })

  it.each([
    ['of the same tick stands by', TICK, { status: 'standby', reason: 'held', retryAfterMs: 121_000 }],
    ['of an earlier tick is superseded', '2026-11-21T04:00:00.000Z', { status: 'standby', reason: 'superseded' }],
    ['of a later tick stands by, as a chain outlasts retries', LATER_TICK, { status: 'standby', reason: 'held' }],
  ])('another candidate %s', async (_, tick, expected) => {
    await withLease(handingOver(), handOverAt(1))
    const other = { ...handingOver({ candidate: 'other', context: invocation('other') }), tick }
    await clock.advance(3_600_000)
    const soon = clock.wallMs() + 120_000
    await store.memory.edit('billing', { reservedUntilMs: soon, writtenAtMs: clock.wallMs() })
    expect(await withLease(other, () => 'led')).toMatchObject(expected)
  })

  it('a candidate of a later tick that does not hand over fails, so that its event is retried', async () => {
    await withLease(handingOver(), handOverAt(1))
    await clock.advance(3_600_000)
    await store.memory.edit('billing', { reservedUntilMs: clock.wallMs() + 60_000, writtenAtMs: clock.wallMs() })
    const later = { ...options({ candidate: 'other', context: invocation('other') }), tick: LATER_TICK }
    const refused = withLease(later, () => 'led')
    await expect(refused).rejects.toThrow(LeaseStillHeldError)
    await expect(refused).rejects.toThrow(`kept for the next invocation that works on the earlier tick ${TICK}`)
  })

  it('a lease without ticks is reserved, too', async () => {
    const { tick: _tick, ...tickless } = options({ continueBy: start })
    await withLease(tickless, (lease) => lease.handOver('half'))
    expect(row()?.checkpoint).toMatchObject({ state: 'half', continuations: 1 })
    const other = await withLease({ ...tickless, candidate: 'other' }, () => 'led')
    expect(other).toMatchObject({ status: 'standby', reason: 'reserved', retryAfterMs: 121_000 })
    const next = { ...tickless, candidate: 'next', continuation: started[0]?.id }
    expect(await withLease(next, (lease) => lease.checkpoint)).toMatchObject({ result: 'half' })
    await withLease(tickless, (lease) => lease.handOver('half'))
    const waiting = withLease({ ...tickless, candidate: 'other', waitMs: 300_000 }, () => 'led')
    await clock.advance(200_000)
    expect(await waiting).toMatchObject({ result: 'led' })
  })

  it('in the loop of ticks, continues at the tick that was being worked', async () => {
    await withLease({ ...handingOver(), tick: '2026-11-21T03:00:00.000Z' }, () => undefined)
    await withLease(handingOver(), async (lease: TickedLease<string>) => {
      for await (const tick of lease.ticks()) return await lease.handOver(`half of ${tick}`)
    })
    const seen: unknown[] = []
    await withLease(handingOver({ continuation: started[0]?.id }), async (lease) => {
      for await (const tick of lease.ticks()) seen.push([tick, lease.checkpoint])
    })
    expect(seen).toEqual([
      ['2026-11-21T04:00:00.000Z', 'half of 2026-11-21T04:00:00.000Z'],
      [TICK, undefined],
    ])
  })

  it('whose next invocation is not started fails, and a retry of the event continues from the state', async () => {
    const continueBy = () => Promise.reject(new Error('AccessDenied'))
    const first = handingOver({ context: invocation('event-1'), continueBy })
    await expect(withLease(first, handOverAt(7))).rejects.toMatchObject({
      name: 'HandOverError',
      cause: new Error('AccessDenied'),
    })
    expect(row()).toMatchObject({ endedBy: 'continued' })
    const retry = handingOver({ context: invocation('event-1') })
    expect(await withLease(retry, (lease) => lease.checkpoint)).toMatchObject({ status: 'completed', result: 7 })
  })

  it('fails the invocation even if the task catches the error', async () => {
    const continueBy = () => Promise.reject(new Error('throttled'))
    const outcome = withLease(handingOver({ continueBy }), (lease) => lease.handOver(1).catch(() => 'all is well'))
    await expect(outcome).rejects.toThrow(HandOverError)
  })

  it('starts the next invocation once, if the task does not await it and its first answer is lost', async () => {
    store.afterNext('release', noAnswer)
    const outcome = withLease(handingOver(), (lease) => {
      lease.handOver(1).catch(() => undefined)
    })
    await clock.advance(5_000)
    expect(await outcome).toMatchObject({ status: 'continued' })
    expect(started).toHaveLength(1)
  })

  it('starts the next invocation when the task returns, if no try was answered before', async () => {
    let isOver = false
    const lostUntilThen = () => void (isOver || noAnswer())
    store.beforeNext('release', ...Array<() => void>(100).fill(lostUntilThen))
    const outcome = withLease(handingOver({ heartbeat: false }), (lease) =>
      lease.handOver(1).catch((error: Error) => {
        isOver = true
        return error.name
      }),
    )
    await clock.advance(40_000)
    expect(await outcome).toMatchObject({ status: 'continued', result: 'LeaseStoreError' })
    expect(started).toHaveLength(1)
  })

  it('whose answers were all lost fails the invocation, whatever the task tries after that', async () => {
    let isOver = false
    const write = store.write.bind(store)
    store.write = async (request) => {
      const reply = await write(request)
      if (!isOver) noAnswer()
      return reply
    }
    const outcome = withLease(handingOver({ heartbeat: false }), async (lease) => {
      await lease.handOver(1).catch(() => undefined)
      isOver = true
      await lease.release().catch(() => undefined)
    })
    const message = expect.stringContaining('the next invocation was not started')
    const failed = expect(outcome).rejects.toMatchObject({ message, lease: 'billing' })
    await clock.advance(60_000)
    await failed
    expect(started).toEqual([])
  })

  it('that is not allowed any more fails the invocation, even if the task catches the error', async () => {
    await withLease(handingOver({ maxContinuations: 1 }), handOverAt(1))
    const next = handingOver({ maxContinuations: 1, continuation: started[0]?.id })
    await expect(withLease(next, (lease) => lease.handOver(2).catch(() => 'all is well'))).rejects.toThrow(
      HandOverError,
    )
    expect(row()).toMatchObject({ endedBy: 'failed', checkpoint: { state: 2 } })
  })

  it('waits for the next invocation to start no longer than this one lasts', async () => {
    const beganMs = clock.wallMs()
    const context = lambdaContext({ getRemainingTimeInMillis: () => 10_000 - (clock.wallMs() - beganMs) })
    const outcome = withLease(handingOver({ context, continueBy: () => new Promise(() => undefined) }), handOverAt(1))
    const failed = expect(outcome).rejects.toThrow(HandOverError)
    await clock.advance(10_000)
    await failed
  })

  it('is refused after as many times as allowed, with the state saved', async () => {
    await withLease(handingOver({ maxContinuations: 1 }), handOverAt(1))
    const next = handingOver({ maxContinuations: 1, continuation: started[0]?.id })
    await expect(withLease(next, handOverAt(2))).rejects.toThrow('was handed over 1 times already')
    expect(row()).toMatchObject({ endedBy: 'failed', checkpoint: { state: 2, continuations: 1 } })
    expect(started).toHaveLength(1)
  })

  it('is refused without continueBy, before any request', async () => {
    const outcome = withLease(handingOver({ continueBy: undefined }), handOverAt(1))
    await expect(outcome).rejects.toThrow(InvalidOptionError)
    expect(store.asked).toEqual(['acquire', 'release'])
    expect(row()).toMatchObject({ endedBy: 'failed' })
  })

  it('ends the leadership: a later write is refused', async () => {
    const outcome = withLease(handingOver(), async (lease) => {
      await lease.handOver(1)
      await lease.saveCheckpoint(2)
    })
    await expect(outcome).rejects.toThrow(LeaseLostError)
    await expect(outcome).rejects.toThrow('was handed over by this candidate itself')
  })
})

describe('the signal before the invocation ends', () => {
  const ending = (changes: object = {}) => {
    const beganMs = clock.wallMs()
    const context = lambdaContext({ getRemainingTimeInMillis: () => 60_000 - (clock.wallMs() - beganMs) })
    return handingOver({ context, ...changes })
  }

  it.each([
    ['a quarter of the invocation', {}, 45_000],
    ['drainMs', { drainMs: 20_000 }, 40_000],
  ])('asks for the hand-over %s before, while the leader still leads', async (_, changes, atMs) => {
    const outcome = withLease(ending(changes), async (lease) => {
      await clock.sleep(atMs - 1)
      expect(lease.signal.aborted).toBe(false)
      await clock.sleep(1)
      expect(lease.signal.reason).toBeInstanceOf(HandOverRequestedError)
      expect(lease.signal.reason).toMatchObject({ reason: 'deadline', lease: 'billing' })
      lease.assertHeld()
      await clock.sleep(5_000)
      await lease.saveCheckpoint(1)
      return await lease.handOver(1)
    })
    await clock.advance(60_000)
    expect(await outcome).toMatchObject({ status: 'continued' })
    expect(clock.sleeping).toBe(0)
  })

  it('does not ask if the work is not continued, or the invocation has no end', async () => {
    for (const changes of [{ continueBy: undefined }, { context: undefined }]) {
      const outcome = withLease(ending(changes), async (lease) => {
        await clock.sleep(59_000)
        return lease.signal.aborted
      })
      await clock.advance(59_000)
      expect(await outcome).toMatchObject({ result: false })
      startAnew()
    }
  })
})

describe('leaderOnly with selfInvoke', () => {
  it('invokes the function with its event and the id, and takes the id from the event', async () => {
    const send = vi.fn(async (_command: { readonly input: object }) => ({ StatusCode: 202 }))
    const { tick: _tick, ...rest } = options({ heartbeat: false, continueBy: selfInvoke({ client: { send } }) })
    const { context: _context, signal: _signal, continuation: _continuation, ...given } = rest
    const handler: LeaderHandler<unknown, { tick: string; region: string }> = middy()
      .use(leaderOnly<{ tick: string; region: string }, number>({ ...given, tickOf: ({ tick }) => tick }))
      .handler(async (_event, { lease }) => (lease.checkpoint === undefined ? await lease.handOver(1) : 'the rest'))
    const event = { tick: TICK, region: 'eu' }
    expect(await handler(event, lambdaContext())).toMatchObject({ status: 'continued' })
    const { Payload, ...input } = Object(send.mock.calls[0]?.[0].input)
    expect(input).toEqual({ FunctionName: lambdaContext().invokedFunctionArn, InvocationType: 'Event' })
    const next = JSON.parse(Payload)
    expect(next).toEqual({ ...event, leaseContinuation: row()?.reservedFor })
    expect(await handler(event, lambdaContext())).toMatchObject({ status: 'standby', reason: 'held' })
    expect(await handler(next, lambdaContext())).toMatchObject({ status: 'completed', result: 'the rest' })
  })

  it.each([
    ['an event that is no object', { event: undefined, context: lambdaContext() }, 'must be a plain object'],
    ['a context without a function', { event: {}, context: undefined }, 'invokedFunctionArn'],
  ])('refuses %s', async (_, given, message) => {
    const start = selfInvoke({ client: { send: async () => undefined } })
    await expect(start({ id: 'id', lease: 'billing', ...given } as Continuation)).rejects.toThrow(message)
  })

  it('loads the client of Lambda while the candidate leads: if that fails, it goes on', async () => {
    const prepare = async () => Promise.reject(new Error('no such package'))
    const { tick: _tick, ...rest } = options({ continueBy: Object.assign(start, { prepare }) })
    const { context: _context, signal: _signal, continuation: _continuation, ...given } = rest
    const handler: LeaderHandler<unknown, object> = middy()
      .use(leaderOnly<object, number>({ ...given, tickOf: () => TICK }))
      .handler(async (_event, { lease }) => {
        await expect(lease.handOver(1)).rejects.toThrow('no such package')
        await lease.saveCheckpoint(2)
      })
    expect(await handler({}, lambdaContext())).toMatchObject({ status: 'completed' })
    expect(selfInvoke()).toHaveProperty('prepare')
  })

  it('refuses an option that it does not have', () => {
    expect(() => selfInvoke(Object({ lambda: {} }))).toThrow('no option "lambda"')
  })
})
