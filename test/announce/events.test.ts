import { expect, test } from 'vitest'
import { eventsOf, publishTo } from '../../functions/announce/events.ts'
import type { Fact } from '../../functions/announce/facts.ts'
import { memoryBus } from './bus.ts'
import { BEGAN_MS, elected, failed, TICK } from './sample-facts.ts'
import { problemsOf, schemas } from './schemas.ts'

const { tick: _tick, ...tickless } = failed

test.each<[sentence: string, fact: Fact, names: readonly string[]]>([
  ['A completed tick', { ...failed, endedBy: 'completed' }, ['LeaderReleased', 'TickCompleted']],
  ['A failed tick', failed, ['LeaderReleased', 'TickFailed']],
  ['A tick that was given up', { ...failed, endedBy: 'released' }, ['LeaderReleased']],
  ['A completed lease without ticks', { ...tickless, endedBy: 'completed' }, ['LeaderReleased']],
  ['A failed lease without ticks', tickless, ['LeaderReleased']],
])('%s gives its events', (_sentence, fact, names) => {
  expect(eventsOf(fact).map(({ name }) => name)).toEqual(names)
})

test('TickFailed has the name of the error and the duration of the tenure', () => {
  expect(eventsOf(failed)[1]?.detail).toEqual({
    ...{ version: 1, id: 'billing/42/TickFailed', lease: 'billing', fencingToken: 42, atMs: BEGAN_MS + 1_600 },
    ...{ candidate: 'ann', tick: TICK, errorName: 'TypeError', durationMs: 1_600 },
  })
})

test('No duration is negative, whatever the clocks say', () => {
  for (const { name, detail } of eventsOf({ ...failed, atMs: BEGAN_MS - 400 })) {
    expect(problemsOf(name, detail)).toBeUndefined()
    expect(detail).toMatchObject({ durationMs: 0 })
  }
})

test('If a row edited by hand holds a number that is no time, the event is sent without a time', async () => {
  const bus = memoryBus()
  const publish = publishTo(bus.client, 'bus')
  await publish(eventsOf({ ...elected, atMs: Number.MAX_SAFE_INTEGER }), undefined)
  await publish(eventsOf(elected), undefined)
  expect(bus.accepted.map(({ atMs }) => atMs)).toEqual([undefined, elected.atMs])
})

test('Each event has a schema with a fixed name and id, open to properties that a later version adds', () => {
  const names = ['LeaderElected', 'LeaderReleased', 'LeaderTakenOver', 'TickCompleted', 'TickFailed']
  names.push('LeasePaused', 'LeaseResumed', 'LeaseForced')
  expect([...schemas.keys()].toSorted()).toEqual(names.toSorted())
  for (const [name, schema] of schemas) {
    expect(schema).toMatchObject({ $id: `urn:tenure:event:${name}:1`, title: name })
    expect(JSON.stringify(schema)).not.toContain('additionalProperties')
  }
})

test('The schemas refuse what is missing, wrong or not named', () => {
  const detail = { ...eventsOf(elected)[0]?.detail }
  expect(problemsOf('LeaderElected', detail)).toBeUndefined()
  expect(problemsOf('LeaderElected', { ...detail, candidate: undefined })).toContain('candidate')
  expect(problemsOf('LeaderElected', { ...detail, tick: 'today' })).toContain('tick')
  expect(problemsOf('LeaderElected', { ...detail, checkpoint: {} })).toContain('additional')
})

test('One request has ten events at most', async () => {
  const bus = memoryBus()
  await publishTo(bus.client, 'default')(Array<Fact>(12).fill(elected).flatMap(eventsOf), undefined)
  expect(bus.requests).toEqual([10, 2])
  expect(bus.accepted).toHaveLength(12)
  expect(bus.accepted[0]).toMatchObject({ bus: 'default', resources: undefined })
})
