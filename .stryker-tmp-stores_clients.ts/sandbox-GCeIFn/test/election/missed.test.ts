// @ts-nocheck
import { describe, expect, it } from 'vitest'
import { missedTicks } from '../../functions/election/missed.ts'
import { rateSchedule } from '../../functions/election/schedule.ts'

const HOURLY = await rateSchedule(3_600_000).load()
const at = (time: string) => `2026-11-21T${time}:00.000Z`
const ms = (time: string) => Date.parse(at(time))
const missed = (row: Parameters<typeof missedTicks>[0], tick: string, atMost = 100, firesWithinMs = 0) =>
  missedTicks(row, at(tick), HOURLY, atMost, firesWithinMs).map((text) => text.slice(11, 16))

describe('missed ticks', () => {
  it.each([
    ['none right after the completed one', '03:00', '04:00', []],
    ['those between the completed one and mine, oldest first', '03:00', '07:00', ['04:00', '05:00', '06:00']],
    ['none for a tick before the completed one', '03:00', '02:00', []],
    ['those after a completed tick that an operator wrote between two', '06:30', '09:00', ['07:00', '08:00']],
  ])('%s', (_, completed, tick, expected) => {
    expect(missed({ firstTick: at('00:00'), completedTick: at(completed) }, tick)).toEqual(expected)
  })

  it('begin with the first tick that was acquired, if none was completed', () => {
    expect(missed({ firstTick: at('04:00') }, '06:00')).toEqual(['04:00', '05:00'])
    expect(missed({ firstTick: at('06:00') }, '06:00')).toEqual([])
    expect(missed({}, '06:00')).toEqual([])
  })

  it.each([
    ['inside', '04:00', '06:00', ['03:00', '06:00', '07:00']],
    ['over the completed one', '01:00', '05:00', ['05:00', '06:00', '07:00']],
    ['over mine', '06:00', '09:00', ['03:00', '04:00', '05:00']],
    ['over all', '01:00', '09:00', []],
    ['before all', '00:00', '01:00', ['03:00', '04:00', '05:00', '06:00', '07:00']],
    ['between two ticks', '04:10', '04:50', ['03:00', '04:00', '05:00', '06:00', '07:00']],
    ['ended before it began', '05:00', '04:00', ['03:00', '04:00', '05:00', '06:00', '07:00']],
  ])('do not lie in a pause: %s', (_, from, until, expected) => {
    const row = { completedTick: at('02:00'), pausedFromMs: ms(from), pausedUntilMs: ms(until) }
    expect(missed(row, '08:00')).toEqual(expected)
  })

  it.each([
    ['04:00', '04:59', ['03:00', '04:00', '05:00']],
    ['04:10', '04:50', ['03:00', '04:00', '05:00']],
    ['04:00', '05:00', ['03:00', '05:00']],
  ])('of a rate may fire after a pause from %s to %s', (from, until, expected) => {
    const row = { completedTick: at('02:00'), pausedFromMs: ms(from), pausedUntilMs: ms(until) }
    expect(missed(row, '06:00', 100, 3_600_000)).toEqual(expected)
  })

  it('are all counted if the row says only when a pause ended', () => {
    expect(missed({ completedTick: at('02:00'), pausedUntilMs: ms('07:00') }, '04:00')).toEqual(['03:00'])
  })

  it('are the oldest ones, if there are too many', () => {
    expect(missed({ completedTick: at('01:00') }, '23:00', 2)).toEqual(['02:00', '03:00'])
    const paused = { completedTick: at('02:00'), pausedFromMs: ms('04:00'), pausedUntilMs: ms('06:00') }
    expect(missed(paused, '23:00', 2)).toEqual(['03:00', '06:00'])
  })
})
