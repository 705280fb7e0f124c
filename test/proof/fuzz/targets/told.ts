/** What the announcer reads of a stream, what the widget reads of its table and of whoever looks, what the hourly check is asked. */
import type { StreamRecord } from 'aws-lambda'
import fc from 'fast-check'
import { eventsOf } from '../../../../functions/announce/events.ts'
import { factsOf } from '../../../../functions/announce/facts.ts'
import { readWatchedLeases } from '../../../../functions/announce/overdue.ts'
import { readRecord } from '../../../../functions/announce/stream-record.ts'
import { CorruptLeaseError } from '../../../../functions/election/index.ts'
import type { AttributeMap } from '../../../../functions/election/stores/row.ts'
import { leaseView } from '../../../../functions/widget/model.ts'
import { MOST_LEASES, readContext, readParameters } from '../../../../functions/widget/request.ts'
import { readTenure } from '../../../../functions/widget/tenures.ts'
import { renderWidget } from '../../../../functions/widget/widget.ts'
import { hostileJson } from '../hostile.ts'
import { nearlyObject } from '../nearly-valid.ts'
import { Broken, type Target, target } from '../target.ts'
import { editedRow } from './lease-row.ts'

const NOW_MS = Date.parse('2026-11-21T06:10:00.000Z')
const AT = String(NOW_MS - 60_000)
const KEYS = { lease: { S: 'billing' }, record: { S: 'LEASE' } }
const HELD = {
  ...KEYS,
  fencingToken: { N: AT },
  holder: { S: 'ann' },
  attempt: { S: 'a' },
  acquiredAtMs: { N: AT },
  expiresAtMs: { N: String(NOW_MS) },
  writtenAtMs: { N: AT },
  step: { N: '0' },
  tick: { S: '2026-11-21T06:00:00.000Z' },
}
const { holder: _holder, ...vacant } = HELD
const ENDED = {
  ...vacant,
  endedBy: { S: 'failed' },
  errorName: { S: 'TypeError' },
  pausedUntilMs: { N: '4102444800000' },
}
const RETAKEN = { ...HELD, fencingToken: { N: String(Number(AT) + 1) }, attempt: { S: 'b' }, holder: { S: 'bob' } }

/** A change of a lease row, of which at most one image was edited by a hostile hand. */
const change = fc.oneof(
  editedRow(HELD).map((NewImage) => ({ NewImage })),
  editedRow(ENDED, RETAKEN, HELD).map((NewImage) => ({ OldImage: HELD, NewImage })),
  editedRow(HELD, ENDED).map((OldImage) => ({ OldImage, NewImage: RETAKEN })),
)

/** Lambda gives what DynamoDB streams as JSON, bytes as base64. */
function asStreamed(images: object): StreamRecord {
  return JSON.parse(JSON.stringify(images, (_name, value) => (value instanceof Uint8Array ? 'AAEC' : value)))
}

function readChange(images: { readonly OldImage?: AttributeMap; readonly NewImage: AttributeMap }): void {
  const read = readRecord({
    dynamodb: { Keys: KEYS, SequenceNumber: '1', ApproximateCreationDateTime: NOW_MS / 1000, ...asStreamed(images) },
  })
  if (read?.kind !== 'written') throw new Broken('a change of a lease row was not read as one')
  const events = factsOf(read.change).flatMap(eventsOf)
  if (new Set(events.map(({ detail }) => detail.id)).size !== events.length) throw new Broken('two events have one id')
  for (const { detail } of events) {
    if (JSON.stringify(detail).length > 10_000) throw new Broken('an event is as long as what somebody wrote')
  }
}

const TENURE = {
  lease: { S: 'billing' },
  record: { S: `TENURE#${AT.padStart(16, '0')}` },
  candidate: { S: 'ann' },
  forTick: { S: '2026-11-21T06:00:00.000Z' },
  beganAtMs: { N: AT },
  endedAtMs: { N: String(NOW_MS) },
  outcome: { S: 'takenOver' },
  successor: { N: String(Number(AT) + 1) },
}

/** Its one time left in the row: an edit of that alone makes it a row that tells none. */
const BARE_TENURE = { lease: TENURE.lease, record: { S: 'TENURE#' }, beganAtMs: TENURE.beganAtMs }

function readHistory(row: AttributeMap): void {
  const history = { ok: true as const, value: { rows: [readTenure(row)], hasMore: false } }
  const view = leaseView({ lease: 'billing', record: { ok: true, value: undefined }, history }, NOW_MS)
  if (view.unreadableRows > 0) throw new RangeError('the row tells no time, and is counted as such')
  const page = String(renderWidget([view], { theme: 'light', width: 900, nowMs: NOW_MS }))
  const [slip] = /NaN|Infinity|undefined|\[object/.exec(page) ?? []
  if (slip !== undefined && !JSON.stringify(row).includes(slip)) throw new Broken(`the page shows ${slip}`)
}

const widgetEvent = nearlyObject(
  fc.constant({
    leases: ['billing', 'team/reports'],
    widgetContext: {
      theme: 'dark',
      width: 600,
      timeRange: { start: NOW_MS - 1, end: NOW_MS, zoom: { start: 1, end: 2 } },
    },
  }),
  hostileJson,
)

function readWidgetEvent(event: object): void {
  const { width, window } = readContext(event)
  if (!(width > 0)) throw new Broken(`a width of ${width}`)
  if (window !== undefined && !(window.fromMs < window.toMs)) throw new Broken('a window that is none')
  const parameters = readParameters(event)
  if (parameters.ok && !(parameters.leases.length >= 1 && parameters.leases.length <= MOST_LEASES))
    throw new Broken(`${parameters.leases.length} leases`)
  if (parameters.ok) return
  if (parameters.problem.length > 600) throw new Broken('a problem as long as its parameter')
  throw new RangeError(parameters.problem)
}

export const toldTargets: readonly Target[] = [
  target({
    name: 'a change of a lease row',
    inputs: change,
    read: readChange,
    refusals: [{ type: CorruptLeaseError, says: /The row of lease "billing" is damaged: attribute "\w+"/ }],
  }),
  target({
    name: 'a history row',
    inputs: editedRow(TENURE, BARE_TENURE),
    read: readHistory,
    refusals: [{ type: RangeError, says: /tells no time/ }],
  }),
  target({
    name: 'what a dashboard asks its widget',
    inputs: widgetEvent,
    read: readWidgetEvent,
    refusals: [{ type: RangeError, says: /^The parameter leases / }],
  }),
  target({
    name: 'the leases that the hourly check is asked about',
    inputs: nearlyObject(fc.constant({ leases: [{ lease: 'billing', periodMs: 3_600_000 }] }), hostileJson),
    read: readWatchedLeases,
    refusals: [{ type: RangeError, says: /^The event of the check for overdue ticks/ }],
  }),
]
