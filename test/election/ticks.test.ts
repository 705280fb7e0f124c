import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type LeaseOptions,
  LeaseStillHeldError,
  MemoryLeaseStore,
  type TickedLease,
  withLease,
} from '../../functions/election/index.ts'
import { asked, clock, hold, options, outcomeOf, row, startAnew, store } from './scripted.ts'

beforeEach(startAnew)

const at = (hour: number) => `2026-11-21T0${hour}:00:00.000Z`
const hourly = (hour: number, changes: Partial<LeaseOptions> = {}) =>
  ({ ...options({ schedule: 'rate(1 hour)', ...changes }), tick: at(hour) }) as const

/** Works the ticks of the loop, and completes the hour. */
async function workAll(hour: number, atMost?: number) {
  const worked: string[] = []
  const outcome = await withLease(hourly(hour), async (lease) => {
    for await (const tick of lease.ticks(atMost === undefined ? {} : { atMost })) worked.push(tick)
  })
  return { worked, outcome }
}

const completeHour = (hour: number) => withLease(hourly(hour), () => undefined)

describe('the loop of ticks', () => {
  it('works the missed ticks, oldest first, and its own last, at one request each', async () => {
    await completeHour(1)
    store.asked.length = 0
    const { worked, outcome } = await workAll(4)
    expect(worked).toEqual([at(2), at(3), at(4)])
    expect(outcome).toMatchObject({ status: 'completed' })
    expect(store.asked).toEqual(['acquire', 'advance', 'advance', 'complete'])
    expect(row()).toMatchObject({ completedTick: at(4), endedBy: 'completed' })
  })

  it('works its own tick alone if none was missed', async () => {
    expect(await workAll(2)).toMatchObject({ worked: [at(2)], outcome: { status: 'completed' } })
  })

  it('works at most so many, and leaves the rest to the next leader', async () => {
    await completeHour(1)
    expect(await workAll(5, 2)).toMatchObject({ worked: [at(2), at(3)], outcome: { status: 'released' } })
    expect(row()).toMatchObject({ completedTick: at(3), endedBy: 'released' })
    expect(await workAll(5, 1)).toMatchObject({ worked: [at(4)], outcome: { status: 'released' } })
    expect(await workAll(5)).toMatchObject({ worked: [at(5)], outcome: { status: 'completed' } })
  })

  it.each([
    ['a missed one', at(2), 'released', at(1)],
    ['the last one', at(3), 'released', at(2)],
  ])('that the task leaves at %s ends the tenure as %3$s', async (_, until, status, completedTick) => {
    await completeHour(1)
    const outcome = await withLease(hourly(3), async (lease) => {
      for await (const tick of lease.ticks()) if (tick === until) break
    })
    expect(outcome).toMatchObject({ status })
    expect(row()).toMatchObject({ completedTick })
  })

  it.each([
    // No other test has these expressions: a schedule is parsed once.
    ['rate(60 minutes)', [at(3), at(4), at(5)]],
    ['cron(0 0-23 * * ? *)', [at(3), at(5)]],
  ])('has a tick of %s in a pause only if it may fire after it', async (schedule, missed) => {
    await completeHour(2)
    store.memory.edit('billing', { pausedFromMs: Date.parse(at(4)), pausedUntilMs: Date.parse(at(4)) + 3_540_000 })
    await withLease(hourly(6, { schedule }), (lease) => expect(lease.missed).toEqual(missed))
  })

  it('gives each tick its own checkpoint, and keeps that of a later one', async () => {
    await completeHour(1)
    const failing = withLease(hourly(3), async (lease) => {
      await lease.saveCheckpoint('half of 3')
      throw new Error('stopped')
    })
    await expect(failing).rejects.toThrow('stopped')
    const seen: unknown[] = []
    await withLease(hourly(3), async (lease) => {
      for await (const tick of lease.ticks()) {
        seen.push([tick, lease.checkpoint])
        expect(row()?.checkpoint).toEqual({ tick: at(3), state: 'half of 3' })
      }
    })
    expect(seen).toEqual([
      [at(2), undefined],
      [at(3), 'half of 3'],
    ])
  })

  it('resumes a missed tick from its checkpoint, under a leader that died', async () => {
    await completeHour(1)
    await expect(
      withLease(hourly(3), async (lease) => {
        for await (const tick of lease.ticks()) {
          await lease.saveCheckpoint(`half of ${tick}`)
          throw new Error('stopped')
        }
      }),
    ).rejects.toThrow('stopped')
    const seen: unknown[] = []
    await withLease(hourly(4), async (lease) => {
      for await (const tick of lease.ticks()) {
        seen.push([tick, lease.checkpoint])
        await lease.saveCheckpoint(`done ${tick}`)
        expect(lease.checkpoint).toBe(`done ${tick}`)
      }
    })
    expect(seen).toEqual([
      [at(2), `half of ${at(2)}`],
      [at(3), undefined],
      [at(4), undefined],
    ])
    expect(row()).not.toHaveProperty('checkpoint')
  })

  it('closes a tick that the task gives up, with the reason', async () => {
    await completeHour(1)
    await withLease(hourly(3), async (lease) => {
      for await (const tick of lease.ticks()) {
        if (tick === at(2)) lease.giveUp('the prices of that hour are lost')
        else expect(row()?.gaveUp).toBe('the prices of that hour are lost')
      }
    })
    expect(row()).not.toHaveProperty('gaveUp')
  })

  it('gives up its own tick with the completion', async () => {
    await withLease(hourly(3), (lease) => lease.giveUp(`poison${'!'.repeat(300)}`))
    expect(row()).toMatchObject({ completedTick: at(3), gaveUp: `poison${'!'.repeat(194)}` })
  })

  it('needs ticks, and a lease without them gives nothing up', async () => {
    const { tick: _tick, ...tickless } = options()
    const loop = withLease(tickless, (lease) => Reflect.apply(Reflect.get(lease, 'ticks'), lease, []))
    await expect(loop).rejects.toThrow('lease.ticks() needs a lease with ticks')
    await withLease(tickless, (lease) => Reflect.apply(Reflect.get(lease, 'giveUp'), lease, ['poison']))
    expect(store.writes.at(-1)).not.toHaveProperty('gaveUp')
  })

  it('extends the lease with each advance', async () => {
    await completeHour(1)
    await withLease(hourly(3, { heartbeat: false, leaseMs: 15_000 }), async (lease) => {
      for await (const _ of lease.ticks()) {
        await clock.advance(10_000)
        expect(lease.remainingMs()).toBe(5_000)
      }
    })
    expect(asked('renew')).toBe(0)
  })

  it.each<[string, (lease: TickedLease) => unknown, RegExp]>([
    ['at most no tick', (lease) => lease.ticks({ atMost: 0 }), /atMost of lease.ticks\(\) must be at least 1/],
    ['a second loop', (lease) => [lease.ticks(), lease.ticks()], /called before/],
    ['advance outside the loop', (lease) => lease.advance(), /in the loop of lease.ticks/],
    ['items that are no list', (lease) => Reflect.apply(lease.advance, lease, ['items']), /lease.advance takes a list/],
    ['giving up without a reason', (lease) => lease.giveUp(''), /takes the reason as a text/],
    ['a number as the reason', (lease) => Reflect.apply(lease.giveUp, lease, [404]), /takes the reason as a text/],
  ])('refuses %s', async (_, call, message) => {
    const failing = withLease(hourly(3), async (lease) => void (await call(lease)))
    await expect(failing).rejects.toThrow(message)
  })

  it('does not begin once the lease is lost', async () => {
    const work = vi.fn()
    const late = withLease(hourly(3, { leaseMs: 15_000, heartbeat: false }), async (lease) => {
      clock.freeze(15_000)
      for await (const tick of lease.ticks()) work(tick)
    })
    await expect(late).rejects.toThrow('reached its deadline')
    expect(work).not.toHaveBeenCalled()
  })

  it('goes on if an operator closed later ticks by hand meanwhile', async () => {
    await completeHour(1)
    const worked: string[] = []
    await withLease(hourly(4), async (lease) => {
      for await (const tick of lease.ticks()) {
        worked.push(tick)
        if (tick === at(2)) store.memory.edit('billing', { completedTick: at(3) })
      }
    })
    expect(worked).toEqual([at(2), at(4)])
    expect(row()).toMatchObject({ completedTick: at(4) })
  })

  it('never lowers what an operator closed by hand: its own tick is then done, but no items are written', async () => {
    const closeLater = () => store.memory.edit('billing', { completedTick: at(5) })
    expect(await withLease(hourly(3), closeLater)).toMatchObject({ status: 'completed' })
    expect(row()).toMatchObject({ completedTick: at(5), endedBy: 'released' })
    expect(row()).not.toHaveProperty('holder')

    const memory = new MemoryLeaseStore({ tables: { orders: 'id' } })
    const failing = withLease({ ...hourly(3), store: memory }, async (lease) => {
      await memory.edit('billing', { completedTick: at(5) })
      await lease.complete([{ Delete: { TableName: 'orders', Key: { id: 'a' } } }])
    })
    const message = expect.stringContaining('so these items were not written')
    await expect(failing).rejects.toMatchObject({ message, lease: 'billing', retryable: false })
    expect(await memory.read('billing')).toMatchObject({ completedTick: at(5), endedBy: 'failed' })
  })

  it('refuses to complete the own tick while an earlier one is worked', async () => {
    await completeHour(1)
    const failing = withLease(hourly(3), async (lease) => {
      for await (const _ of lease.ticks()) await lease.complete()
    })
    await expect(failing).rejects.toThrow(/the loop of lease.ticks\(\) is at an earlier one/)
    expect(row()).toMatchObject({ completedTick: at(1), endedBy: 'failed' })
  })
})

describe('an earlier tick that is still worked', () => {
  const next = (changes: Partial<LeaseOptions>) =>
    outcomeOf(withLease(hourly(3, { candidate: 'bob', ...changes }), () => 1))

  it.each<[string, Partial<LeaseOptions>]>([
    ['in Lambda', { context: lambdaOf('event-2') }],
    ['of a cron', { context: lambdaOf('event-2'), schedule: 'cron(0 * * * ? *)' }],
    ['if asked for', { overlap: 'retry' }],
  ])('fails the event %s, so that it is offered again', async (_, changes) => {
    await hold({ tick: at(2) })
    const error = await next(changes)
    expect(error).toBeInstanceOf(LeaseStillHeldError)
    const message = expect.stringContaining(`works on the earlier tick ${at(2)}`)
    expect(error).toMatchObject({ lease: 'billing', retryAfterMs: 31_000, message })
  })

  it.each<[string, Partial<LeaseOptions>]>([
    ['on a server', {}],
    ['if asked for', { overlap: 'skip', context: lambdaOf('event-2') }],
    ['if the period leaves no time for retries', { schedule: 'rate(1 minute)', context: lambdaOf('event-2') }],
  ])('makes a candidate stand by %s', async (_, changes) => {
    await hold({ tick: at(2) })
    expect(await next(changes)).toMatchObject({ status: 'standby', reason: 'held', holder: 'ann' })
  })

  it('is waited for', async () => {
    await hold({ tick: at(2), heartbeat: false, leaseMs: 5_000 })
    const waiting = next({ overlap: 'retry', waitMs: 60_000 })
    await clock.advance(20_000)
    expect(await waiting).toMatchObject({ status: 'completed' })
  })
})

it('an unknown time zone is refused after the win, and the lease given back', async () => {
  const failing = withLease(hourly(3, { schedule: 'cron(0 * * * ? *)', timeZone: 'Mars/Olympus' }), () => 1)
  await expect(failing).rejects.toThrow(/time zone "Mars\/Olympus"/)
  expect(row()).not.toHaveProperty('holder')
})

it('giving up a tick that is closed already is refused, and the next one is not given up', async () => {
  await completeHour(1)
  await withLease(hourly(3), async (lease) => {
    for await (const tick of lease.ticks()) {
      if (tick === lease.tick) continue
      await lease.saveCheckpoint('half')
      await lease.advance()
      expect(lease.checkpoint).toBeUndefined()
      expect(() => lease.giveUp('too late')).toThrow(/has closed this tick/)
    }
  })
  expect(row()).not.toHaveProperty('gaveUp')
})

it('the schedule of the environment belongs to its lease alone', async () => {
  vi.stubEnv('LEASE_NAME', 'billing').stubEnv('LEASE_SCHEDULE', 'rate(1 hour)')
  const tickOf = async (lease: string) => {
    await withLease(options({ lease, tick: '2026-11-21T05:30:00Z' }), () => undefined)
    return store.memory.read(lease)?.completedTick
  }
  expect([await tickOf('billing'), await tickOf('reports')]).toEqual([at(5), '2026-11-21T05:30:00.000Z'])
  vi.unstubAllEnvs()
})

it('a candidate of an older tick than the one that is worked is superseded', async () => {
  await hold({ tick: at(4) })
  expect(await withLease(hourly(3, { candidate: 'bob' }), () => 1)).toMatchObject({ reason: 'superseded' })
})

function lambdaOf(awsRequestId: string) {
  return { awsRequestId, functionName: 'charge', getRemainingTimeInMillis: () => 60_000 }
}
