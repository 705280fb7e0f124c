// @ts-nocheck
import { expect, test } from 'vitest'
import { eventsOf, publishTo } from '../../functions/announce/events.ts'
import type { Fact } from '../../functions/announce/facts.ts'
import { BEGAN_MS, closed, elected, failed, TICK } from './sample-facts.ts'
import { memoryBus } from './scene.ts'
import { problemsOf, schemas } from './schemas.ts'

test('No duration is negative, whatever the clocks say', () => {
  for (const { name, detail } of eventsOf({ ...failed, atMs: BEGAN_MS - 400 })) {
    expect(problemsOf(name, detail)).toBeUndefined()
    expect(detail).toMatchObject({ durationMs: 0 })
  }
})

test.each<[string, Fact, name: string, tick: string]>([
  ['A missed tick that is closed is completed', closed, 'TickCompleted', '2026-11-21T05:00:00.000Z'],
  ['One that is given up has failed', { ...closed, gaveUp: 'no prices' }, 'TickFailed', '2026-11-21T05:00:00.000Z'],
  ['So has the own tick of its leader', { ...failed, endedBy: 'completed', gaveUp: 'no prices' }, 'TickFailed', TICK],
])('%s', (_sentence, fact, name, tick) => {
  const { detail, ...event } = eventsOf(fact).at(-1) ?? {}
  expect(event).toMatchObject({ name })
  expect(detail).toMatchObject({ tick })
  expect(problemsOf(name, detail)).toBeUndefined()
})

test('If a row edited by hand holds a number that is no time, the event is sent without a time', async () => {
  const bus = memoryBus()
  const publish = publishTo(bus.client, 'bus')
  await publish(eventsOf({ ...elected, atMs: Number.MAX_SAFE_INTEGER }), undefined)
  await publish(eventsOf(elected), undefined)
  expect(bus.accepted.map(({ atMs }) => atMs)).toEqual([undefined, elected.atMs])
})

test('The schemas are open to properties that a later version adds', () => {
  expect(JSON.stringify([...schemas])).not.toMatch(/additionalProperties|unevaluatedProperties/)
})

test('One request has ten events at most', async () => {
  const bus = memoryBus()
  await publishTo(bus.client, 'default')(Array<Fact>(12).fill(elected).flatMap(eventsOf), undefined)
  expect(bus.requests).toEqual([10, 2])
  expect(bus.accepted).toHaveLength(12)
  expect(bus.accepted[0]).toMatchObject({ bus: 'default', resources: undefined })
})
