// @ts-nocheck
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidTickError } from '../../functions/election/index.ts'
import { assertNotFuture, canonicalTick, isCanonicalTick, tickOfEvent } from '../../functions/election/tick.ts'

const HOUR_MS = 3_600_000

describe('the canonical tick', () => {
  it.each([
    ['2026-11-21T06:00:00Z', '2026-11-21T06:00:00.000Z'],
    ['2026-11-21T06:00Z', '2026-11-21T06:00:00.000Z'],
    ['2026-11-21T06:00:00.123456Z', '2026-11-21T06:00:00.123Z'],
    ['2026-11-21T11:45:00+05:45', '2026-11-21T06:00:00.000Z'],
    [1_795_240_800_000, '2026-11-21T06:00:00.000Z'],
    [new Date(1_795_240_800_000), '2026-11-21T06:00:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
    [new Date('1999-12-31T00:00:00Z'), '1999-12-31T00:00:00.000Z'],
    [Date.parse('2000-01-01T00:00:00Z'), '2000-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('of %s is %s', (input, expected) => {
    expect(canonicalTick(input)).toBe(expected)
  })

  it('is the same for candidates whose schedules fire in different phases of one period', () => {
    expect(canonicalTick('2026-11-21T06:00:03Z', HOUR_MS)).toBe('2026-11-21T06:00:00.000Z')
    expect(canonicalTick('2026-11-21T06:59:59Z', HOUR_MS)).toBe('2026-11-21T06:00:00.000Z')
    expect(canonicalTick('2026-11-21T07:00:00Z', HOUR_MS)).toBe('2026-11-21T07:00:00.000Z')
  })

  it.each([
    ...['<aws.scheduler.scheduled-time>', '', '2026-11-21', '2026-11-21T06:00:00', '21 Nov 2026 06:00 UTC'],
    ...['2023-02-29T00:00:00Z', '2026-13-01T00:00:00Z', '2026-11-21T25:00:00Z', '1969-12-31T23:59:59Z'],
    ...['1970-01-01T00:00:00+01:00', 1_795_240_800_000.5, Number.NaN, 1.5, 1_795_240_800, -1, 1e15, new Date('never')],
  ])('refuses %s, and says what to give', (input) => {
    expect(() => canonicalTick(input)).toThrow(InvalidTickError)
    expect(() => canonicalTick(input)).toThrow(/ISO-8601/)
  })

  it.each([
    ['x'.repeat(500), `The tick "${'x'.repeat(60)}" cannot be read`],
    [Number.NaN, 'The tick NaN cannot be read'],
  ])('shows the beginning of %s', (input, text) => {
    expect(() => canonicalTick(input)).toThrow(text)
  })

  it('orders as text just as it does in time', () => {
    const instants = fc.integer({
      min: Date.parse('2000-01-01T00:00:00Z'),
      max: Date.parse('9999-12-31T23:59:59.999Z'),
    })
    fc.assert(
      fc.property(instants, instants, (a, b) => {
        expect(canonicalTick(a) < canonicalTick(b)).toBe(a < b)
        expect(isCanonicalTick(canonicalTick(a))).toBe(true)
      }),
    )
  })

  it.each(['2026-11-21T06:00:00Z', '2026-11-21', 'soon', '+010000-01-01T00:00:00.000Z'])(
    '%s is no canonical tick',
    (text) => {
      expect(isCanonicalTick(text)).toBe(false)
    },
  )
})

it('a tick in the future is refused beyond the clock budget, and allowed within it', () => {
  const check = (tick: string) => () => assertNotFuture(tick, Date.parse('2026-11-21T06:00:00.000Z'), 1_000)
  expect(check('2026-11-21T06:00:01.000Z')).not.toThrow()
  expect(check('2026-11-21T06:00:01.001Z')).toThrow(InvalidTickError)
  expect(check('2027-01-01T00:00:00.000Z')).toThrow(/3520800 s in the future/)
})

describe('the tick of an event', () => {
  const read = { tick: '2026-11-21T06:00:00Z', periodMs: HOUR_MS }
  it.each([
    ['the input of an ElectedSchedule', { ...read, schedule: 'candidate-1' }, read],
    ['the time of an EventBridge rule event', { source: 'aws.events', time: read.tick }, { tick: read.tick }],
    ['epoch milliseconds', { tick: 1_795_240_800_000 }, { tick: 1_795_240_800_000 }],
  ])('comes from %s', (_, event, expected) => {
    expect(tickOfEvent(event)).toEqual(expected)
  })

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    ['a secret', 'string'],
    [{}, 'an object without keys'],
    [{ tick: null }, 'keys: "tick"'],
    [{ time: '2026-11-21T06:00:00Z', source: 'me' }, 'keys: "time", "source"'],
    [{ time: 1_795_240_800_000, source: 'aws.events' }, 'keys: "time", "source"'],
  ])('is an error, never "no tick", if the event is %j', (event, got) => {
    expect(() => tickOfEvent(event)).toThrow(InvalidTickError)
    expect(() => tickOfEvent(event)).toThrow(`but got ${got}. For another`)
  })

  const many = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`key-${n}`, n]))
  it.each<[object, RegExp | string]>([
    [many, '"key-8", "key-9". For another'],
    [{ ['x'.repeat(500)]: 1 }, `but got keys: "${'x'.repeat(20)}". For another`],
    [{ 'a\nforged': 1 }, 'but got keys: "a\\nforged". For another'],
    ...[0, -1, 1.5, '3600000', null].map((periodMs): [object, RegExp] => [{ ...read, periodMs }, /periodMs is/]),
  ])('is refused by a short error if the event is %o', (event, message) => {
    expect(() => tickOfEvent(event)).toThrow(message)
  })
})
