/** What DynamoDB sends: rows as it stores them, and whole answers on the wire. */
import { type AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import fc from 'fast-check'
import {
  ClockSkewError,
  CorruptLeaseError,
  DynamoDBLeaseStore,
  InvalidOptionError,
  LeaseLostError,
  LeaseStillHeldError,
  LeaseStoreError,
  withLease,
} from '../../../../functions/election/index.ts'
import { type AttributeMap, readRow } from '../../../../functions/election/stores/row.ts'
import { ManualClock } from '../../../../functions/election/testing/manual-clock.ts'
import { isCanonicalTick } from '../../../../functions/election/tick.ts'
import { hostileJson, hostileText, hostileValue, objectOf } from '../hostile.ts'
import { nearly } from '../nearly-valid.ts'
import { Broken, type Target, target } from '../target.ts'

const NOW = '2026-11-21T06:00:00.000Z'
const AT = String(Date.parse(NOW) - 60_000)

/** A lease in mid-tick, whose holder died after saving a checkpoint. */
const HELD: AttributeMap = {
  lease: { S: 'billing' },
  record: { S: 'LEASE' },
  fencingToken: { N: AT },
  holder: { S: 'ann' },
  attempt: { S: '9f0f6b53-95bd-4c3c-9f35-2a5f63b7e4f1' },
  eventId: { S: 'event-1' },
  acquiredAtMs: { N: AT },
  expiresAtMs: { N: String(Number(AT) + 15_000) },
  writtenAtMs: { N: AT },
  step: { N: '1' },
  tick: { S: NOW },
  completedTick: { S: '2026-11-21T05:00:00.000Z' },
  checkpoint: { M: { tick: { S: NOW }, state: { M: { done: { L: [{ S: 'a' }, { N: '7' }, { NULL: true }] } } } } },
  pausedUntilMs: { N: '0' },
}
const { holder: _holder, ...vacant } = HELD
const VACANT: AttributeMap = { ...vacant, endedBy: { S: 'failed' }, errorName: { S: 'TypeError' } }

const numeral = fc.oneof(
  fc.constantFrom('', '1e3', '-0', '-1', '0.5', 'NaN', '0x10', ' 7', '9007199254740993', '1'.repeat(38), '1e125'),
  hostileText,
)

const { attribute } = fc.letrec<{ attribute: AttributeValue }>((tie) => ({
  attribute: fc.oneof(
    { depthSize: 'small' },
    hostileText.map((S): AttributeValue => ({ S })),
    numeral.map((N): AttributeValue => ({ N })),
    fc.boolean().map((BOOL): AttributeValue => ({ BOOL })),
    fc.constantFrom<AttributeValue>(
      { NULL: true },
      { B: new Uint8Array(3) },
      { SS: ['a'] },
      { NS: ['1', 'NaN'] },
      { S: NOW },
    ),
    fc.array(tie('attribute'), { maxLength: 3 }).map((L): AttributeValue => ({ L })),
    objectOf(fc.oneof(hostileText, fc.constantFrom('tick', 'state')), tie('attribute')).map(
      (M): AttributeValue => ({ M }),
    ),
  ),
}))

type RowEdit = (row: AttributeMap) => AttributeMap

const rowEdit = (nameInRow: fc.Arbitrary<string>): fc.Arbitrary<RowEdit> =>
  fc.oneof(
    fc.tuple(nameInRow, attribute).map(
      ([name, value]): RowEdit =>
        (row) => ({ ...row, [name]: value }),
    ),
    fc.tuple(nameInRow, hostileText).map(
      ([name, S]): RowEdit =>
        (row) => ({ ...row, [name]: { S } }),
    ),
    fc.tuple(nameInRow, numeral).map(
      ([name, N]): RowEdit =>
        (row) => ({ ...row, [name]: { N } }),
    ),
    objectOf(hostileText, attribute).map(
      (more): RowEdit =>
        (row) => ({ ...row, ...more }),
    ),
    nameInRow.map(
      (name): RowEdit =>
        ({ [name]: _left, ...row }) =>
          row,
    ),
    fc.tuple(hostileText, attribute).map(
      ([name, state]): RowEdit =>
        (row) => ({ ...row, checkpoint: { M: { [name]: { S: NOW }, state } } }),
    ),
  )

/** One of these rows, with up to two attributes as only somebody's hand would leave them. */
export function editedRow(...valid: readonly AttributeMap[]): fc.Arbitrary<AttributeMap> {
  const edit = rowEdit(fc.constantFrom(...new Set(valid.flatMap((row) => Object.keys(row)))))
  return fc
    .tuple(fc.constantFrom(...valid), fc.array(edit, { maxLength: 2 }))
    .map(([row, edits]) => edits.reduce((edited, each) => each(edited), row))
}

const row = editedRow(HELD, VACANT)

function readLeaseRow(given: AttributeMap): void {
  const record = readRow(given, 'billing')
  for (const name of ['fencingToken', 'acquiredAtMs', 'expiresAtMs', 'writtenAtMs', 'step'] as const) {
    if (!Number.isSafeInteger(record[name]) || record[name] < 0) throw new Broken(`${name} is ${record[name]}`)
  }
  for (const tick of [record.tick, record.completedTick, record.checkpoint?.tick]) {
    if (tick !== undefined && !isCanonicalTick(tick)) throw new Broken(`${JSON.stringify(tick)} is no canonical tick`)
  }
  for (const text of [record.attempt, record.holder ?? '', record.eventId ?? '', record.errorName ?? '']) {
    if (typeof text !== 'string') throw new Broken('an attribute is no text')
  }
  const absent = Object.entries(record).filter(([, value]) => value === undefined)
  if (absent.length > 0) throw new Broken(`${absent.map(([name]) => name).join()} is there, and undefined`)
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

const TYPE = 'com.amazonaws.dynamodb.v20120810#'
const ERRORS = [
  'ConditionalCheckFailedException',
  'TransactionConflictException',
  'ThrottlingException',
  'ResourceNotFoundException',
  'AccessDeniedException',
  'ValidationException',
  'InternalServerError',
]

const granted: fc.Arbitrary<Answer> = nearly(
  row.map((Attributes) => ({ Attributes })),
  hostileJson,
).map((body) => ({ status: 200, body }))

const refused: fc.Arbitrary<Answer> = nearly(
  fc.tuple(fc.constantFrom(...ERRORS), row).map(([name, Item]) => ({ __type: TYPE + name, message: 'no', Item })),
  hostileJson,
).map((body) => ({ status: 400, body: withReadableError(body) }))

/** The SDK makes an Error of any type and message without a look at them: that DynamoDB's own are texts is taken on trust. */
function withReadableError(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body
  const objects = ['__type', 'message'].filter((name) => typeof Reflect.get(body, name) === 'object')
  return { ...body, ...Object.fromEntries(objects.map((name) => [name, 'no'])) }
}

const answer: fc.Arbitrary<Answer> = fc.oneof(
  { weight: 3, arbitrary: granted },
  { weight: 5, arbitrary: refused },
  {
    weight: 1,
    arbitrary: fc.record({
      status: fc.constantFrom(200, 301, 400, 403, 500, 503),
      body: hostileJson.map(withReadableError),
    }),
  },
)

/** The SDK's own client, which gets this answer to the acquire, and an empty one to all that follows. */
function storeAnswering(acquire: Answer, clock: ManualClock): DynamoDBLeaseStore {
  let requests = 0
  const client = new DynamoDBClient({
    region: 'eu-central-1',
    endpoint: 'http://dynamodb.nowhere',
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    signer: { sign: async <Request>(request: Request) => request },
    maxAttempts: 1,
    requestHandler: {
      handle: async () => {
        const { status, body } = requests++ === 0 ? acquire : { status: 200, body: {} }
        const headers = { 'content-type': 'application/x-amz-json-1.0', date: new Date(clock.wallMs()).toUTCString() }
        return { response: { statusCode: status, headers, body: encoded(body) } }
      },
    },
  })
  return new DynamoDBLeaseStore({ tableName: 'leases', client, clock: { ...clockOf(clock), sleep: async () => {} } })
}

const clockOf = (clock: ManualClock) => ({ wallMs: () => clock.wallMs(), monotonicMs: () => clock.monotonicMs() })

const ENCODER = new TextEncoder()

/**
 * An answer that is nested too deep even to be written is cut off, as a lost connection does. DynamoDB's protocol leaves
 * out what is absent: that it never says null is taken on trust, as by the SDK's own types.
 */
function encoded(body: unknown): Uint8Array {
  try {
    return ENCODER.encode(JSON.stringify(body, (_name, value: unknown) => (isNothing(value) ? undefined : value)))
  } catch {
    return ENCODER.encode('{"Attributes":'.repeat(20_000))
  }
}

/** JSON writes numbers that it does not have as null. */
function isNothing(value: unknown): boolean {
  return value === null || (typeof value === 'number' && !Number.isFinite(value))
}

async function askWith(given: Answer): Promise<void> {
  const clock = new ManualClock(NOW)
  const asking = { store: storeAnswering(given, clock), lease: 'billing', tick: NOW, leaseMs: 15_000, heartbeat: false }
  const unslept = { ...clockOf(clock), sleep: async () => {} }
  const outcome = await withLease({ ...asking, clock: unslept }, ({ fencingToken }) => {
    if (!Number.isSafeInteger(fencingToken)) throw new Broken(`the fencing token is ${fencingToken}`)
  })
  if (!['completed', 'standby'].includes(outcome.status)) throw new Broken(`the outcome is ${outcome.status}`)
}

async function saveCheckpoint(state: unknown): Promise<void> {
  const clock = new ManualClock(NOW)
  const store = storeAnswering({ status: 200, body: {} }, clock)
  await withLease({ store, lease: 'billing', clock, heartbeat: false }, (lease) => lease.saveCheckpoint(state))
}

export const leaseRowTargets: readonly Target[] = [
  target({
    name: 'a lease row',
    inputs: row,
    read: readLeaseRow,
    refusals: [{ type: CorruptLeaseError, says: /row of lease "billing" is damaged: attribute "\w+" should be/ }],
  }),
  target({
    name: "DynamoDB's answer to an acquire",
    inputs: answer,
    read: askWith,
    refusals: [
      { type: CorruptLeaseError, says: /row of lease "billing".*attribute "\w+"/ },
      { type: LeaseStoreError, says: /lease "billing" in table "leases"/ },
      { type: LeaseStillHeldError, says: /event-1.*lease "billing"/ },
      { type: LeaseLostError, says: /lease "billing"/i },
      { type: ClockSkewError, says: /lease "billing"/i },
    ],
  }),
  target({
    name: 'a checkpoint to be saved',
    inputs: hostileValue,
    read: saveCheckpoint,
    refusals: [{ type: InvalidOptionError, says: /checkpoint/i }],
  }),
]
