/** Clocks that are wrong or set during an acquire: this candidate's, and that of the row's last writer. */
import { beforeEach, describe, expect, it } from 'vitest'
import { type Clock, ClockSkewError, withLease } from '../../functions/election/index.ts'
import {
  answersAt,
  asked,
  clock,
  hold,
  lambda,
  NEXT_TICK,
  noAnswer,
  options,
  outcomeOf,
  row,
  sleeps,
  startAnew,
  store,
  TICK,
} from './scripted.ts'

beforeEach(startAnew)

const iso = (ms: number) => new Date(ms).toISOString()

describe('a clock that is set while the lease is asked for', () => {
  it.each([
    ['an hour ahead', 3_600_000],
    ['an hour behind, as after a thaw', -3_600_000],
    ['ahead by less than the length of a lease', 5_000],
    ['ahead by little more than the budget allows', 1_600],
  ])('and was %s before: gives back, asks again and leads under the right time', async (_, byMs) => {
    const trueMs = clock.wallMs()
    answersAt(() => trueMs)
    const events: string[] = []
    clock.setWall(byMs)
    store.afterNext('acquire', () => clock.setWall(-byMs))
    const running = outcomeOf(
      withLease(options({ tick: TICK, onEvent: ({ kind }) => void events.push(kind) }), () => 'mine'),
    )
    await clock.advance(1_000)
    expect(await running).toMatchObject({ status: 'completed', result: 'mine' })
    expect(store.asked).toEqual(['acquire', 'giveBack', 'acquire', 'complete'])
    expect(Math.abs((row()?.acquiredAtMs ?? 0) - trueMs)).toBeLessThan(1_000)
    expect(events).toEqual(['clockRead', 'elected'])
  })

  it('by less than half of the budget, after which it is right enough, is no reason to fail either', async () => {
    const trueMs = clock.wallMs()
    answersAt(() => trueMs)
    clock.setWall(1_600)
    store.afterNext('acquire', () => clock.setWall(-450))
    const running = outcomeOf(withLease(options({ tick: TICK }), () => 'mine'))
    await clock.advance(1_000)
    expect(await running).toMatchObject({ status: 'completed' })
  })

  it('and was ahead before leaves the right time on the row, even without a Date from DynamoDB', async () => {
    const trueMs = clock.wallMs()
    clock.setWall(3_600_000)
    store.afterNext('acquire', () => {
      clock.setWall(-3_600_000)
      noAnswer()
    })
    await outcomeOf(withLease(options({ tick: TICK }), () => 'never'))
    expect(row()).toMatchObject({ writtenAtMs: trueMs, endedBy: 'released' })
  })

  it('is not believed when it says that another holds the lease', async () => {
    await withLease(options({ leaseMs: 1_000, heartbeat: false }), () => clock.freeze(10_000)).catch(() => undefined)
    store.memory.edit('billing', { holder: 'dead', completedTick: '2026-11-21T01:00:00.000Z', attempt: 'of the dead' })
    clock.setWall(-3_600_000)
    store.afterNext('acquire', () => clock.setWall(3_600_000))
    const running = outcomeOf(withLease(options({ candidate: 'bob' }), () => 'mine'))
    await clock.advance(1_000)
    expect(await running).toMatchObject({ status: 'completed', result: 'mine' })
  })

  it('ends the try if the lease cannot be given back, which would refuse the next request', async () => {
    store.afterNext('acquire', () => clock.setWall(3_600_000))
    store.beforeNext('giveBack', noAnswer)
    expect(await outcomeOf(withLease(options({ tick: TICK }), () => 'never'))).toBeInstanceOf(ClockSkewError)
    expect(store.asked).toEqual(['acquire', 'giveBack'])
  })

  it('does not matter to one whose tick is done', async () => {
    await withLease(options(), () => undefined)
    store.afterNext('acquire', () => clock.setWall(3_600_000))
    expect(await withLease(options(), () => 'never')).toEqual({ status: 'standby', reason: 'tickDone' })
    expect(asked('acquire')).toBe(2)
  })

  it('each time ends after three tries, with nothing held, and says so', async () => {
    let byMs = 3_600_000
    const setAgain = () => {
      clock.setWall(byMs)
      byMs = -byMs
    }
    answersAt(() => clock.wallMs())
    store.afterNext('acquire', setAgain, setAgain, setAgain, setAgain)
    const running = outcomeOf(withLease(options(), () => 'never'))
    await clock.advance(1_000)
    const error = await running
    expect(error).toBeInstanceOf(ClockSkewError)
    expect(error).toMatchObject({ message: expect.stringMatching(/clock was set forward by 3600000 ms, or/) })
    expect(asked('acquire')).toBe(3)
    expect(row()).not.toHaveProperty('holder')
  })
})

describe('a row that a wrong clock wrote last', () => {
  const next = (changes = {}) => outcomeOf(withLease(options({ tick: NEXT_TICK, ...changes }), () => 'mine'))

  it('keeps others waiting only until their clocks have come near, if that is soon', async () => {
    await withLease(options(), () => undefined)
    store.memory.edit('billing', { writtenAtMs: clock.wallMs() + 5_000 })
    const second = next({ maxClockSkewMs: 300 })
    await clock.advance(4_600)
    expect(asked('acquire')).toBe(2)
    await clock.advance(200)
    expect(await second).toMatchObject({ status: 'completed' })
    expect(asked('acquire')).toBe(3)
  })

  it.each([
    ['further ahead than is waited for', 60_000, {}],
    ['further ahead than the invocation lasts', 5_000, () => ({ context: lambda(3_000) })],
  ])('%s is an error at once, which names the writer', async (_, aheadMs, changes) => {
    await withLease(options({ context: lambda(60_000, 'event-of-ann') }), () => undefined)
    store.memory.edit('billing', { writtenAtMs: clock.wallMs() + aheadMs })
    const error = await next(typeof changes === 'function' ? changes() : changes)
    const { attempt, fencingToken } = row() ?? {}
    const writer = `the candidate of token ${fencingToken} (attempt ${attempt}, event event-of-ann) wrote its row last`
    expect(error).toBeInstanceOf(ClockSkewError)
    expect(error).toMatchObject({ lease: 'billing', message: expect.stringContaining(writer) })
    expect(error).toMatchObject({ message: expect.stringContaining(`${aheadMs} ms ahead of this machine's clock`) })
    expect(error).toMatchObject({ message: expect.stringContaining(`Either that candidate's clock was ahead or this`) })
    const healedIn = aheadMs - 1_000
    const healed = `heals by itself: the event can be retried in ${healedIn} ms, at ${iso(clock.wallMs() + healedIn)}`
    expect(error).toMatchObject({ message: expect.stringContaining(healed) })
    expect(asked('acquire')).toBe(2)
  })

  it('is not blamed on this clock if DynamoDB’s time shows that the other was wrong', async () => {
    await withLease(options(), () => undefined)
    store.memory.edit('billing', { writtenAtMs: clock.wallMs() + 60_000 })
    answersAt(() => clock.wallMs())
    expect(await next()).toMatchObject({ message: expect.stringContaining('shows that the other clock was wrong') })
  })

  it.each([[0], [300], [1_000], [60_000]])(
    'after giving back, lets in all others that keep a budget of %i ms',
    async (maxClockSkewMs) => {
      const { acquire } = store
      const trueMs = clock.wallMs()
      answersAt(() => trueMs)
      clock.setWall(3_600_000)
      expect(await next({ candidate: 'bob', maxClockSkewMs })).toBeInstanceOf(ClockSkewError)
      clock.setWall(-3_600_000 - maxClockSkewMs / 2)
      store.acquire = acquire
      sleeps.length = 0
      expect(await next({ tick: TICK, maxClockSkewMs })).toMatchObject({ status: 'completed' })
      expect(sleeps.filter((ms) => ms < 1_000)).toEqual([])
    },
  )
})

describe('a lease that is held under a clock that is ahead', () => {
  const bob = (changes = {}) => outcomeOf(withLease(options({ candidate: 'bob', ...changes }), () => 'mine'))
  const acquiredAhead = async (byMs: number) => {
    await hold()
    const nowMs = clock.wallMs() + byMs
    store.memory.edit('billing', { acquiredAtMs: nowMs, writtenAtMs: nowMs, expiresAtMs: nowMs + 30_000 })
  }

  it.each([
    [1_000, 1_400],
    [300, 700],
    [0, 300],
  ])(
    'has a leader, as far as a Date in whole seconds shows: with a budget of %i ms, %i ms ahead is a standby',
    async (maxClockSkewMs, aheadMs) => {
      answersAt(() => clock.wallMs())
      await acquiredAhead(aheadMs)
      expect(await bob({ maxClockSkewMs })).toMatchObject({ status: 'standby', reason: 'held' })
      expect(asked('acquire')).toBe(2)
    },
  )

  it('further than a leader’s can be is asked for again, and won when its candidate has given it back', async () => {
    answersAt(() => clock.wallMs())
    await acquiredAhead(5_000)
    const second = bob()
    await clock.advance(400)
    const { attempt = '' } = row() ?? {}
    await store.memory.giveBack({ lease: 'billing', candidate: 'ann', attempt, nowMs: clock.wallMs() })
    await clock.advance(200)
    expect(await second).toMatchObject({ status: 'completed', result: 'mine' })
  })

  it.each([
    ['is retried rather than lost, without a Date from DynamoDB', false, /Either that candidate's clock was ahead/],
    [
      'blames the other clock, if DynamoDB’s time shows it',
      true,
      /DynamoDB's time shows that the other clock was wrong/,
    ],
  ])('an hour and never given back %s', async (_, isTold, blame) => {
    if (isTold) answersAt(() => clock.wallMs())
    await acquiredAhead(3_600_000)
    const second = bob()
    await clock.advance(5_000)
    const { attempt, fencingToken } = row() ?? {}
    const error = await second
    expect(error).toBeInstanceOf(ClockSkewError)
    expect(error).toMatchObject({ lease: 'billing', message: expect.stringMatching(blame) })
    const holder = `held by "ann", the candidate of token ${fencingToken} (attempt ${attempt})`
    expect(error).toMatchObject({ message: expect.stringContaining(holder) })
    const free = `can be taken in \\d+ ms, at ${iso((row()?.expiresAtMs ?? 0) + 1_000)}`
    expect(error).toMatchObject({ message: expect.stringMatching(free) })
    expect(asked('acquire')).toBe(4)
  })

  it('is waited for within waitMs', async () => {
    answersAt(() => clock.wallMs())
    await acquiredAhead(5_000)
    const second = bob({ waitMs: 60_000 })
    await clock.advance(20_000)
    const { attempt = '' } = row() ?? {}
    await store.memory.giveBack({ lease: 'billing', candidate: 'ann', attempt, nowMs: clock.wallMs() })
    await clock.advance(8_000)
    expect(await second).toMatchObject({ status: 'completed' })
  })

  it('does not matter to one whose tick is done', async () => {
    await withLease(options({ tick: TICK }), () => undefined)
    await hold({ tick: NEXT_TICK })
    store.memory.edit('billing', { acquiredAtMs: 1e15 })
    expect(await bob({ tick: TICK })).toEqual({ status: 'standby', reason: 'tickDone' })
  })
})

describe('a Date that is wrong', () => {
  it.each([
    ['an hour ahead', 3_600_000],
    ['fifteen seconds ahead', 15_000],
  ])('%s ends one try, and keeps no other candidate out', async (_, byMs) => {
    const { acquire } = store
    answersAt(() => clock.wallMs() + byMs)
    expect(await outcomeOf(withLease(options(), () => 'never'))).toBeInstanceOf(ClockSkewError)
    expect(row()).toMatchObject({ endedBy: 'released', writtenAtMs: clock.wallMs() })
    store.acquire = acquire
    expect(await withLease(options({ candidate: 'bob' }), () => 'mine')).toMatchObject({ status: 'completed' })
  })
})

describe('a clock that fails after it was read for asking', () => {
  const failures: readonly [string, () => unknown][] = [
    ['gives NaN', () => Number.NaN],
    ['gives Infinity', () => Number.POSITIVE_INFINITY],
    ['gives an absurd number', () => 1e300],
    ['gives a bigint', () => 5n],
    [
      'throws an error',
      () => {
        throw new Error('the clock broke')
      },
    ],
  ]
  /** One of the methods of the test's clock fails once `isBroken` says so. */
  function breaking(method: 'wallMs' | 'monotonicMs', fail: () => unknown, isBroken: () => boolean): Clock {
    const sleep = clock.sleep.bind(clock)
    const right = { wallMs: () => clock.wallMs(), monotonicMs: () => clock.monotonicMs(), sleep }
    return Object.assign(right, { [method]: () => (isBroken() ? fail() : clock[method]()) })
  }
  const untouched = () => {
    const { acquiredAtMs = 0, writtenAtMs, expiresAtMs } = row() ?? {}
    expect(writtenAtMs).toBeGreaterThanOrEqual(acquiredAtMs)
    expect(writtenAtMs).toBeLessThanOrEqual(clock.wallMs() + 30_000)
    expect(expiresAtMs).toSatisfy(Number.isSafeInteger)
  }

  for (const method of ['wallMs', 'monotonicMs'] as const) {
    it.each(failures)(
      `(its ${method} %s) before the answer gives back, under a time that lets others in`,
      async (_, fail) => {
        let isBroken = false
        store.afterNext('acquire', () => {
          isBroken = true
        })
        const context = lambda(30_000)
        const broken = breaking(method, fail, () => isBroken)
        const error = outcomeOf(withLease(options({ clock: broken, context }), () => 'never'))
        await clock.advance(1_000)
        expect(await error).toMatchObject({ message: expect.stringMatching(/clock (stopped|gives no)/) })
        expect(row()).toMatchObject({ endedBy: 'released' })
        untouched()
        const next = options({ candidate: 'bob' })
        expect(await withLease(next, () => 'mine')).toMatchObject({ status: 'completed' })
      },
    )

    it.each(failures)(
      `(its ${method} %s) while leading loses the lease, and writes no absurd time`,
      async (_, fail) => {
        let isBroken = false
        const broken = breaking(method, fail, () => isBroken)
        const running = outcomeOf(
          withLease(options({ clock: broken, context: lambda(60_000) }), async (lease) => {
            isBroken = true
            await clock.advance(1_000)
            lease.assertHeld()
          }),
        )
        expect(await running).toMatchObject({ name: 'LeaseLostError' })
        untouched()
      },
    )
  }

  it('(its monotonicMs jumps an hour ahead) while leading leaves a row that others can take', async () => {
    let byMs = 0
    const jumping = breaking(
      'monotonicMs',
      () => clock.monotonicMs() + byMs,
      () => true,
    )
    const running = outcomeOf(
      withLease(options({ clock: jumping }), (lease) => {
        byMs = 3_600_000
        lease.assertHeld()
      }),
    )
    expect(await running).toMatchObject({ name: 'LeaseLostError' })
    expect(row()).toMatchObject({ endedBy: 'failed', writtenAtMs: clock.wallMs() })
  })

  it.each([0, 1, 2, 3, 4])('(its monotonicMs jumps at reading %i) renews for no longer than a lease', async (at) => {
    let readings = Number.NaN
    let checked = 0
    const jumping = breaking(
      'monotonicMs',
      () => clock.monotonicMs() + 3_600_000,
      () => readings-- === 0,
    )
    const renewing = options({ clock: jumping, leaseMs: 30_000, heartbeat: false })
    await outcomeOf(
      withLease(renewing, async (lease) => {
        readings = at
        await lease.renew().finally(() => {
          const { writtenAtMs, expiresAtMs } = row() ?? {}
          expect(writtenAtMs).toBeLessThanOrEqual(clock.wallMs() + 30_000)
          expect(expiresAtMs).toBeLessThanOrEqual(clock.wallMs() + 60_000)
          checked++
        })
      }),
    )
    expect(checked).toBe(1)
  })
})
