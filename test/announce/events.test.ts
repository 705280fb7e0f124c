import { expect, test } from 'vitest'
import { EventsRefusedError, eventsOf, publishTo } from '../../functions/announce/events.ts'
import type { Elected, Ended, Fact } from '../../functions/announce/facts.ts'
import { type BusFault, memoryBus } from './bus.ts'
import { problemsOf, schemas } from './schemas.ts'

const tenure = { lease: 'eu/billing', fencingToken: 42, tick: '2026-11-21T06:00:00.000Z', beganAtMs: 1_795_240_800_400 }
const elected: Elected = {
  kind: 'elected',
  ...tenure,
  atMs: tenure.beganAtMs,
  candidate: 'ann',
  expiresAtMs: 1_795_240_815_400,
}
const ended: Ended = { kind: 'ended', ...tenure, atMs: 1_795_240_803_000, candidate: 'ann', endedBy: 'failed' }
const { tick: _tick, ...tickless } = ended

test.each<[sentence: string, fact: Fact, names: readonly string[]]>([
  ['A completed tick', { ...ended, endedBy: 'completed' }, ['LeaderReleased', 'TickCompleted']],
  ['a failed one', ended, ['LeaderReleased', 'TickFailed']],
  ['a tick that was given up', { ...ended, endedBy: 'released' }, ['LeaderReleased']],
  ['a lease without ticks that was completed', { ...tickless, endedBy: 'completed' }, ['LeaderReleased']],
  ['one that failed', tickless, ['LeaderReleased']],
])('%s gives its events', (_sentence, fact, names) => {
  expect(eventsOf(fact).map(({ name }) => name)).toEqual(names)
})

test('The id names lease, token and event, and of a pause the change', () => {
  const paused: Fact = { kind: 'paused', ...tenure, atMs: 1, sequenceNumber: '7', pausedUntilMs: 2 }
  const ids = [elected, paused].flatMap(eventsOf).map(({ detail }) => detail.id)
  expect(ids).toEqual(['eu/billing/42/LeaderElected', 'eu/billing/42/LeasePaused/7'])
})

test('Of an error goes out the name alone', () => {
  const [, failed] = eventsOf({ ...ended, errorName: 'TypeError' })
  expect(failed?.detail).toMatchObject({ errorName: 'TypeError', durationMs: 2_600 })
})

test('No duration is negative, whatever the clocks say', () => {
  const early = eventsOf({ ...ended, beganAtMs: Date.parse(tenure.tick) - 300, atMs: Date.parse(tenure.tick) - 400 })
  for (const { name, detail } of early) {
    expect(problemsOf(name, detail)).toBeUndefined()
    expect(detail).toMatchObject({ durationMs: 0 })
  }
})

test('A time that is none, in a row edited by hand, leaves out the time of the event and nothing else', async () => {
  const bus = memoryBus()
  const publish = publishTo(bus.client, 'bus')
  await publish(eventsOf({ ...elected, atMs: Number.MAX_SAFE_INTEGER }), undefined)
  await publish(eventsOf(elected), undefined)
  expect(bus.taken.map(({ atMs }) => atMs)).toEqual([Number.NaN, elected.atMs]) // the bus has not found a number
})

test('There is a schema of each event, with a name that does not change, and open to what a later version adds', () => {
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
  expect(bus.taken).toHaveLength(12)
  expect(bus.taken[0]).toMatchObject({ bus: 'default', resources: [] })
})

test('An entry that EventBridge does not take is a failure, though the request succeeded', async () => {
  const faults: BusFault[] = ['refused']
  const bus = memoryBus(() => faults.shift())
  const sending = publishTo(bus.client, 'default')(eventsOf(ended), undefined)
  await expect(sending).rejects.toThrow(EventsRefusedError)
  expect(bus.taken).toHaveLength(1)
})
