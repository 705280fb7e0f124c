/** What the announcer, the widget and the hourly check read: a stream, requests, an event. */
// @ts-nocheck

import type { StreamRecord } from 'aws-lambda'
import fc from 'fast-check'
import { readWatchedQueues } from '../../../../functions/announce/dead-ticks.ts'
import { eventsOf } from '../../../../functions/announce/events.ts'
import { factsOf } from '../../../../functions/announce/facts.ts'
import { readWatchedLeases } from '../../../../functions/announce/overdue.ts'
import { readRecord } from '../../../../functions/announce/stream-record.ts'
import { CorruptLeaseError } from '../../../../functions/election/index.ts'
import type { AttributeMap } from '../../../../functions/election/stores/row.ts'
import { MOST_LEASES, readContext, readParameters } from '../../../../functions/widget/answer.ts'
import { hostileJson, nearlyObject } from '../inputs.ts'
import { assert, type Target, target } from '../target.ts'
import { editedRow, HELD, VACANT } from './lease-row.ts'

const NOW_MS = Date.parse('2026-11-21T06:10:00.000Z')
const AT = String(NOW_MS - 60_000)
const KEYS = { lease: { S: 'billing' }, record: { S: 'LEASE' } }
const RETAKEN = { ...HELD, fencingToken: { N: AT }, attempt: { S: 'b' }, holder: { S: 'bob' } }

/** A change of a lease row; at most one image is hostile. */
const change = fc.oneof(
  editedRow(HELD).map((NewImage) => ({ NewImage })),
  editedRow(VACANT, RETAKEN, HELD).map((NewImage) => ({ OldImage: HELD, NewImage })),
  editedRow(HELD, VACANT).map((OldImage) => ({ OldImage, NewImage: RETAKEN })),
)

function readChange(images: { readonly OldImage?: AttributeMap; readonly NewImage: AttributeMap }): void {
  const streamed: StreamRecord = JSON.parse(JSON.stringify(images))
  const keys = { Keys: KEYS, SequenceNumber: '1', ApproximateCreationDateTime: NOW_MS / 1000 }
  const read = readRecord({ dynamodb: { ...keys, ...streamed } })
  assert(read?.kind === 'written', 'a change of a lease row was not read as one')
  const details = factsOf(read.change)
    .flatMap(eventsOf)
    .map(({ detail }) => detail)
  assert(new Set(details.map(({ id }) => id)).size === details.length, 'two events have one id')
  assert(!details.some((detail) => JSON.stringify(detail).length > 10_000), 'an event is as long as its row')
}

const timeRange = { start: NOW_MS - 1, end: NOW_MS, zoom: { start: 1, end: 2 } }
const widgetContext = { theme: 'dark', width: 600, timeRange }

function readWidgetEvent(event: object): void {
  const { width, window } = readContext(event)
  assert(width > 0, `a width of ${width}`)
  assert(window === undefined || window.fromMs < window.toMs, 'a window that ends before it begins')
  const parameters = readParameters(event)
  if (!parameters.ok) throw new RangeError(parameters.problem)
  const { length } = parameters.value
  assert(length >= 1 && length <= MOST_LEASES, `${length} leases`)
}

export const announceTargets: readonly Target[] = [
  target('a change of a lease row', change, readChange, [
    CorruptLeaseError,
    /The row of lease "billing" is damaged: attribute "\w+"/,
  ]),
  target(
    'the request of a dashboard to its widget',
    nearlyObject(fc.constant({ leases: ['billing', 'team/reports'], widgetContext }), hostileJson),
    readWidgetEvent,
    [RangeError, /^The parameter leases .{0,600}$/s],
  ),
  target(
    'the event of the hourly check',
    nearlyObject(fc.constant({ leases: [{ lease: 'billing', schedule: 'rate(1 hour)' }] }), hostileJson),
    readWatchedLeases,
    [RangeError, /^The event of the check for overdue ticks/],
  ),
  target(
    'the event of the check for dead ticks',
    nearlyObject(fc.constant({ deadLetters: [{ lease: 'billing', queues: ['https://sqs/1/failures'] }] }), hostileJson),
    readWatchedQueues,
    [RangeError, /^The event of the check for dead ticks/],
  ),
]
