/** Clocks that are wrong or set during an acquire: this candidate's, and that of the row's last writer. */
// @ts-nocheck

import { beforeEach, describe, expect, it, vi } from 'vitest'
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

/** Runs a candidate to its end; `afterAcquire` happens once its request was applied. */
async function run(changes: Parameters<typeof options>[0] = {}, ...afterAcquire: (() => void)[]) {
  store.afterNext('acquire', ...afterAcquire)
  const running = outcomeOf(withLease(options(changes), () => 'mine'))
  await clock.advance(1_000)
  return await running
}
const MINE = { status: 'completed', result: 'mine' }
const iso = (ms: number) => new Date(ms).toISOString()

describe('a clock that is set while the lease is asked for', () => {
  it.each([
    ['an hour ahead', 3_600_000, -3_600_000],
    ['an hour behind, as after a thaw', -3_600_000, 3_600_000],
    ['ahead by less than the length of a lease', 5_000, -5_000],
    ['ahead by little more than the budget allows, and is right enough after', 1_600, -450],
  ])('and was %s before: gives back, asks again and leads under the right time', async (_, byMs, setByMs) => {
    const trueMs = clock.wallMs()
    answersAt(() => trueMs)
    const events: string[] = []
    clock.setWall(byMs)
    const changes = { tick: TICK, onEvent: ({ kind }: { kind: string }) => void events.push(kind) }
    expect(await run(changes, () => clock.setWall(setByMs))).toMatchObject(MINE)
    expect(store.asked).toEqual(['acquire', 'giveBack', 'acquire', 'complete'])
    expect(Math.abs((row()?.acquiredAtMs ?? 0) - trueMs)).toBeLessThan(2_000)
    expect(events).toEqual(['clockRead', 'elected'])
  })

  it('and was ahead before leaves the right time on the row, even without a Date from DynamoDB', async () => {
    const trueMs = clock.wallMs()
    clock.setWall(3_600_000)
    await run({}, () => {
      clock.setWall(-3_600_000)
      noAnswer()
    })
    expect(row()).toMatchObject({ writtenAtMs: trueMs, endedBy: 'released' })
  })

  it.each([
    [1_000, 500, 1],
    [1_000, -501, 2],
    [0, -50, 1],
    [0, 51, 2],
  ])('under a budget of %i ms by %i ms costs %i requests', async (maxClockSkewMs, byMs, requests) => {
    expect(await run({ maxClockSkewMs }, () => clock.setWall(byMs))).toMatchObject(MINE)
    expect(asked('acquire')).toBe(requests)
  })

  it('is not believed when it says that another holds the lease', async () => {
    await withLease(options({ leaseMs: 1_000, heartbeat: false }), () => clock.freeze(10_000)).catch(() => undefined)
    store.memory.edit('billing', { holder: 'dead', completedTick: '2026-11-21T01:00:00.000Z', attempt: 'of the dead' })
    clock.setWall(-3_600_000)
    expect(await run({ candidate: 'bob' }, () => clock.setWall(3_600_000))).toMatchObject(MINE)
  })

  it('ends the try if the lease cannot be given back, which would refuse the next request', async () => {
    store.beforeNext('giveBack', noAnswer)
    const error = { name: 'ClockSkewError', lease: 'billing' }
    expect(await run({}, () => clock.setWall(3_600_000))).toMatchObject(error)
    expect(store.asked).toEqual(['acquire', 'giveBack'])
  })

  it('each time ends after three tries, with nothing held, and says so', async () => {
    let byMs = 3_600_000
    const setAgain = () => {
      clock.setWall(byMs)
      byMs = -byMs
    }
    answersAt(() => clock.wallMs())
    const error = await run({}, setAgain, setAgain, setAgain, setAgain)
    expect(error).toBeInstanceOf(ClockSkewError)
    expect(error).toMatchObject({ message: expect.stringMatching(/clock was set forward by 3600000 ms, or/) })
    expect(asked('acquire')).toBe(3)
    expect(row()).not.toHaveProperty('holder')
  })

  it.each<[string, () => void, () => void]>([
    ['a clock that is set', () => {}, () => store.afterNext('acquire', () => clock.setWall(3_600_000))],
    [
      'a lease that is held under a clock that is ahead',
      () => void hold({ tick: NEXT_TICK }),
      () => store.memory.edit('billing', { acquiredAtMs: 1e15 }),
    ],
  ])('(%s) does not matter to a candidate whose tick is done', async (_, before, act) => {
    await withLease(options(), () => undefined)
    before()
    await clock.advance(0)
    act()
    const late = options({ candidate: 'bob' })
    expect(await withLease(late, () => 'never')).toEqual({ status: 'standby', reason: 'tickDone' })
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
    ['than is waited for', 60_000, 120_000, false, /Either that candidate's clock was ahead or this/],
    ['than the invocation lasts', 5_000, 3_000, false, /Either that candidate's clock/],
    ['than DynamoDB’s time allows', 60_000, 120_000, true, /shows that the other clock was wrong/],
    ['than this clock allows, but not DynamoDB’s time,', 1_500, 500, true, /Either that candidate's clock/],
  ])('further ahead %s is an error at once, which names the writer', async (_, aheadMs, leftMs, hasDate, blame) => {
    if (hasDate) answersAt(() => clock.wallMs())
    await withLease(options({ context: lambda(60_000, 'event-of-ann') }), () => undefined)
    store.memory.edit('billing', { writtenAtMs: clock.wallMs() + aheadMs })
    const error = await next({ context: lambda(leftMs) })
    const { attempt, fencingToken } = row() ?? {}
    const writer = `the candidate of token ${fencingToken} (attempt ${attempt}, event event-of-ann) wrote its row last`
    expect(error).toBeInstanceOf(ClockSkewError)
    expect(error).toMatchObject({ lease: 'billing', message: expect.stringContaining(writer) })
    expect(error).toMatchObject({ message: expect.stringContaining(`${aheadMs} ms ahead of this machine's clock`) })
    expect(error).toMatchObject({ message: expect.stringMatching(blame) })
    const healedIn = aheadMs - 1_000
    const healed = `heals by itself: the event can be retried in ${healedIn} ms, at ${iso(clock.wallMs() + healedIn)}`
    expect(error).toMatchObject({ message: expect.stringContaining(healed) })
    expect(asked('acquire')).toBe(2)
  })

  it('further ahead than a date can be says for how long', async () => {
    await withLease(options(), () => undefined)
    store.memory.edit('billing', { writtenAtMs: 9e15 })
    const inMs = 9e15 - 1_000 - clock.wallMs()
    expect(await next()).toMatchObject({ message: expect.stringContaining(`can be retried in ${inMs} ms; if`) })
  })

  it.each([0, 1_000])('%i ms ahead is not blamed if the requests are taken for copies', async (aheadMs) => {
    await withLease(options(), () => undefined)
    const record = row()
    store.acquire = async ({ attempt, nowMs }) => {
      return { granted: false, record: record && { ...record, attempt, writtenAtMs: nowMs + aheadMs } }
    }
    const refused = next()
    await clock.advance(1_000)
    expect(await refused).toMatchObject({ message: expect.stringContaining('as if it were a copy of an older one') })
  })

  it.each([[0], [300], [1_000], [60_000]])(
    'after giving back, lets in all others that keep a budget of %i ms',
    async (maxClockSkewMs) => {
      const { acquire } = store
      const trueMs = clock.wallMs()
      answersAt(() => trueMs)
      clock.setWall(3_600_000)
      const error = { name: 'ClockSkewError', message: expect.stringContaining("3599000 ms ahead of DynamoDB's") }
      expect(await next({ candidate: 'bob', maxClockSkewMs })).toMatchObject(error)
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
  ])('has a leader, as far as a Date in whole seconds shows: B %i ms, %i ms ahead', async (maxClockSkewMs, aheadMs) => {
    answersAt(() => clock.wallMs())
    await acquiredAhead(aheadMs)
    expect(await bob({ maxClockSkewMs })).toMatchObject({ status: 'standby', reason: 'held' })
    expect(asked('acquire')).toBe(2)
  })

  it.each([
    ['', {}, 400, 200],
    [' within waitMs', { waitMs: 60_000 }, 20_000, 8_000],
  ])(
    'further than a leader’s can be is asked for again%s, and won when it was given back',
    async (_, changes, heldMs, laterMs) => {
      answersAt(() => clock.wallMs())
      await acquiredAhead(5_000)
      const second = bob(changes)
      await clock.advance(heldMs)
      const { attempt = '' } = row() ?? {}
      await store.memory.giveBack({ lease: 'billing', candidate: 'ann', attempt, nowMs: clock.wallMs() })
      await clock.advance(laterMs)
      expect(await second).toMatchObject(MINE)
    },
  )

  it('further than DynamoDB’s time allows has none', async () => {
    answersAt(() => clock.wallMs())
    await acquiredAhead(2_600)
    const second = bob()
    await clock.advance(5_000)
    expect(await second).toBeInstanceOf(ClockSkewError)
  })

  it.each([
    ['is an error without a Date from DynamoDB', false, /Either that candidate's clock was ahead/],
    ['blames the other clock, if DynamoDB’s time shows it', true, /shows that the other clock was wrong/],
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
})

it.each([
  ['an hour', 3_600_000],
  ['fifteen seconds', 15_000],
])('a Date that is %s ahead ends one try, and keeps no other candidate out', async (_, byMs) => {
  const { acquire } = store
  answersAt(() => clock.wallMs() + byMs)
  const message = expect.stringContaining(`${byMs} ms behind DynamoDB's`)
  const error = { name: 'ClockSkewError', lease: 'billing', message }
  expect(await outcomeOf(withLease(options(), () => 'never'))).toMatchObject(error)
  expect(row()).toMatchObject({ endedBy: 'released', writtenAtMs: clock.wallMs() })
  store.acquire = acquire
  expect(await withLease(options({ candidate: 'bob' }), () => 'mine')).toMatchObject({ status: 'completed' })
})

describe('a clock that fails after it was read for asking', () => {
  const throws = () => {
    throw new Error('the clock broke')
  }
  const FAILURES = (['wallMs', 'monotonicMs'] as const).flatMap((method) =>
    [() => Number.NaN, () => Number.POSITIVE_INFINITY, () => 1e300, () => 5n, throws].map(
      (fail) => [method, fail] as const,
    ),
  )
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

  it.each(FAILURES)(
    '(%s as %s) before the answer gives back, under a time that lets others in',
    async (method, fail) => {
      let isBroken = false
      const broken = breaking(method, fail, () => isBroken)
      const error = await run({ clock: broken, context: lambda(30_000) }, () => {
        isBroken = true
      })
      expect(error).toMatchObject({ message: expect.stringMatching(/clock (stopped|gives no)/) })
      expect(row()).toMatchObject({ endedBy: 'released' })
      untouched()
      expect(await withLease(options({ candidate: 'bob' }), () => 'mine')).toMatchObject({ status: 'completed' })
    },
  )

  it.each([
    ['asks again once it gives the time', () => undefined, MINE],
    ['ends the try if the lease cannot be given back', noAnswer, { name: 'ClockSkewError', lease: 'billing' }],
  ])('before the answer %s', async (_, answer, expected) => {
    let isBroken = false
    store.beforeNext('giveBack', () => {
      isBroken = false
      answer()
    })
    const broken = breaking('wallMs', throws, () => isBroken)
    const breaks = () => {
      isBroken = true
    }
    expect(await run({ clock: broken }, breaks)).toMatchObject(expected)
  })

  it.each(FAILURES)('(%s as %s) while leading loses the lease, and writes no absurd time', async (method, fail) => {
    let isBroken = false
    const broken = options({ clock: breaking(method, fail, () => isBroken), context: lambda(60_000) })
    const running = withLease(broken, async (lease) => {
      isBroken = true
      await clock.advance(1_000)
      lease.assertHeld()
    })
    expect(await outcomeOf(running)).toMatchObject({ name: 'LeaseLostError' })
    untouched()
  })

  const jumped = () => clock.monotonicMs() + 3_600_000

  it('(its monotonicMs jumps an hour ahead) while leading leaves a row that others can take', async () => {
    let hasJumped = false
    const jumping = options({ clock: breaking('monotonicMs', jumped, () => hasJumped) })
    const running = withLease(jumping, (lease) => {
      hasJumped = true
      lease.assertHeld()
    })
    expect(await outcomeOf(running)).toMatchObject({ name: 'LeaseLostError' })
    expect(row()).toMatchObject({ endedBy: 'failed', writtenAtMs: clock.wallMs() })
  })

  it.each([0, 1, 2, 3, 4])('(its monotonicMs jumps at reading %i) renews for no longer than a lease', async (at) => {
    let readings = Number.NaN
    const jumping = breaking('monotonicMs', jumped, () => readings-- === 0)
    const checked = vi.fn()
    const running = withLease(options({ clock: jumping, leaseMs: 30_000, heartbeat: false }), async (lease) => {
      readings = at
      await lease.renew().finally(() => {
        const { writtenAtMs, expiresAtMs } = row() ?? {}
        expect(writtenAtMs).toBeLessThanOrEqual(clock.wallMs() + 30_000)
        expect(expiresAtMs).toBeLessThanOrEqual(clock.wallMs() + 60_000)
        checked()
      })
    })
    await outcomeOf(running)
    expect(checked).toHaveBeenCalledTimes(1)
  })
})
