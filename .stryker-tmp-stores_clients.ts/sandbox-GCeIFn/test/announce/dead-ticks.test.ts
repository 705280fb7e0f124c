// @ts-nocheck
import { expect, test } from 'vitest'
import {
  deadTickCheck,
  type Letter,
  readLetter,
  readWatchedQueues,
  verdictOn,
} from '../../functions/announce/dead-ticks.ts'
import type { LeaseRecord } from '../../functions/election/rules.ts'

const [BEFORE, TICK, LATER] = ['2026-11-21T05:00:00.000Z', '2026-11-21T06:00:00.000Z', '2026-11-21T07:00:00.000Z']
const NOW_MS = Date.parse(TICK) + 300_000

/** A row whose leader has failed at the tick. */
const failed: LeaseRecord = {
  ...{ lease: 'billing', fencingToken: 42, attempt: 'attempt-ann', step: 1, tick: TICK, completedTick: BEFORE },
  ...{ acquiredAtMs: NOW_MS - 9_000, expiresAtMs: NOW_MS + 6_000, writtenAtMs: NOW_MS - 5_000, endedBy: 'failed' },
}
const led: LeaseRecord = { ...failed, holder: 'ann' }
const reserved: LeaseRecord = { ...failed, reservedFor: 'next', reservedBy: 42, reservedUntilMs: NOW_MS + 1 }

test.each<[sentence: string, verdict: string, row: LeaseRecord | undefined]>([
  ['no candidate ever led', 'dead', undefined],
  ['its leader failed, and no other leads', 'dead', failed],
  ['its leader died', 'dead', { ...led, expiresAtMs: NOW_MS }],
  ['an earlier tick was the last one led', 'dead', { ...failed, tick: BEFORE }],
  ['it was handed over, and the reservation has passed', 'dead', { ...reserved, reservedUntilMs: NOW_MS }],
  ['a reservation of an earlier leader is on the row', 'dead', { ...reserved, reservedBy: 41 }],
  ['a leader works on it, by another event', 'working', led],
  ['a leader works on an earlier tick', 'working', { ...led, tick: BEFORE }],
  ['its next invocation is about to begin', 'working', reserved],
  ['it is completed', 'closed', { ...failed, completedTick: TICK }],
  ['a later tick is completed', 'closed', { ...failed, tick: LATER, completedTick: LATER }],
  ['a later leader has it among its missed ticks', 'missed', { ...led, tick: LATER }],
  ['a later leader had it, and failed', 'missed', { ...failed, tick: LATER }],
])('If %s, the tick of a dead letter is %s', (_sentence, verdict, row) => {
  expect(verdictOn(TICK, row, NOW_MS)).toBe(verdict)
})

const letter = (body: unknown, scheduled?: string) =>
  readLetter({
    MessageId: 'm',
    Body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(scheduled && { MessageAttributes: { SCHEDULED_TIME: { DataType: 'String', StringValue: scheduled } } }),
  })

test.each([
  ['Lambda', { requestPayload: { tick: '2026-11-21T06:12:00Z', periodMs: 3_600_000, leaseContinuation: 'x' } }, TICK],
  ['Scheduler', { tick: '2026-11-21T06:00:00Z', periodMs: 60_000 }, TICK],
  ['an operator', { requestPayload: { tick: '2026-11-21T06:00:00.001Z', periodMs: 1 } }, TICK.replace('000Z', '001Z')],
  ['a rule', { requestPayload: { source: 'aws.events', time: '2026-11-21T06:00:00Z' } }, TICK],
  ['something else', { requestPayload: { tick: 'yesterday' } }, undefined],
  ['a text', 'no JSON', undefined],
])('The event of a dead letter of %s names its tick', (_, body, tick) => {
  expect(letter(body)).toEqual({ messageId: 'm', tick })
})

test('A letter of Scheduler whose input has no time put in has it as an attribute', () => {
  const body = { tick: '<aws.scheduler.scheduled-time>', periodMs: 3_600_000 }
  expect(letter(body, '2026-11-21T06:00:12Z').tick).toBe(TICK)
})

function scene(queues: Readonly<Record<string, readonly (string | undefined)[] | Error>>) {
  const [measured, logged]: [unknown[], unknown[]] = [[], []]
  const rowsRead: string[] = []
  const check = deadTickCheck({
    letters: async (url): Promise<readonly Letter[]> => {
      const ticks = queues[url] ?? []
      if (ticks instanceof Error) throw ticks
      return ticks.map((tick, index) => ({ tick, messageId: `${url}${index}` }))
    },
    row: async (lease) => (rowsRead.push(lease) > 0 ? failed : undefined),
    measure: (lease, values) => measured.push([lease, ...values.map(({ name, value }) => `${name} ${value}`)]),
    log: { warn: (_message, fields) => logged.push(fields), error: (_message, fields) => logged.push(fields) },
    now: () => NOW_MS,
  })
  return { check, measured, logged, rowsRead }
}

test('Each dead tick of a lease counts once, whatever its letters and queues; benign ones count apart', async () => {
  const { check, measured, logged } = scene({ one: [TICK, BEFORE, undefined], two: [TICK, BEFORE] })
  await check({ deadLetters: [{ lease: 'billing', queues: ['one', 'two'] }] })
  expect(measured).toEqual([['billing', 'ticksDead 2', 'deadLettersBenign 2']])
  expect(logged).toEqual([
    { lease: 'billing', tick: TICK, messageId: 'two0' },
    { lease: 'billing', tick: undefined, messageId: 'one2' },
  ])
})

test('Without letters no row is read; a queue that cannot be read fails the check after the others', async () => {
  const { check, measured, logged, rowsRead } = scene({ broken: new Error('denied') })
  const deadLetters = ['broken', 'empty'].map((queue) => ({ lease: queue, queues: [queue] }))
  await expect(check({ deadLetters })).rejects.toThrow(
    /^1 of 2 leases could not be checked for dead ticks: broken\. The log has the reason for each/,
  )
  expect([measured, rowsRead]).toEqual([[['empty', 'ticksDead 0']], []])
  expect(logged).toMatchObject([{ lease: 'broken', error: { message: 'denied' } }])
})

test.each([
  [undefined],
  [7],
  [[{ lease: 'a b', queues: [] }]],
  [[{ lease: 'billing' }]],
  [[{ lease: 'billing', queues: [7] }]],
])('A wrong event is refused: %j', (deadLetters) => {
  expect(() => readWatchedQueues({ deadLetters })).toThrow('The event of the check for dead ticks is wrong')
})
