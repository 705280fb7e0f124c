/**
 * The history of tenures: one row `(lease, "TENURE#<fencing token>")` for each, beside the lease row and never the lease
 * row itself.
 *
 * | attribute | | meaning |
 * |---|---|---|
 * | `candidate`, `forTick` | S | who led, and for which tick |
 * | `beganAtMs`, `endedAtMs` | N | |
 * | `outcome` | S | completed, released, failed, forced or takenOver; absent while it is not known |
 * | `failure` | S | the error's name, where it failed |
 * | `successor` | N | the token of who took over |
 * | `announced` | SS | the events that were sent |
 * | `ttl` | N | epoch seconds |
 *
 * Facts come in any order and any number of times, and leave the same row: each attribute belongs to one kind of fact,
 * which sets it; the others, which know it too, do so only where it is absent. Nothing is ever removed. (Of two forced
 * ends of one tenure, which takes somebody who edits the row by hand twice, the first one delivered counts.)
 */
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { TENURE_PREFIX } from '../election/stores/row.ts'
import { eventsOf } from './events.ts'
import type { Fact } from './facts.ts'

export interface TenureKey {
  readonly lease: string
  readonly fencingToken: number
}

export interface History {
  /** The marks of the events that were sent of a tenure. */
  announced(tenure: TenureKey): Promise<ReadonlySet<string>>
  /** Writes down what was announced: one request per row concerned. */
  record(facts: readonly Fact[]): Promise<void>
}

/** For a table that cannot expire rows: nothing is remembered, so what is delivered twice is announced twice. */
export const noHistory: History = {
  announced: () => Promise.resolve(new Set<string>()),
  record: () => Promise.resolve(),
}

type Attributes = Readonly<Record<string, string | number>>

export interface HistoryUpdate extends TenureKey {
  readonly set: Attributes
  readonly setWhereAbsent: Attributes
  readonly announced: readonly string[]
}

export function historyTable(
  client: Pick<DynamoDBDocumentClient, 'send'>,
  TableName: string,
  historyDays: number,
): History {
  return {
    async announced(tenure) {
      const command = new GetCommand({
        TableName,
        Key: historyKey(tenure),
        ConsistentRead: true,
        ProjectionExpression: '#announced',
        ExpressionAttributeNames: { '#announced': 'announced' },
      })
      const { Item } = await client.send(command)
      const marks: unknown = Item?.['announced']
      return marks instanceof Set ? marks : new Set()
    },

    async record(facts) {
      for (const update of historyUpdates(facts, historyDays)) {
        await client.send(new UpdateCommand({ TableName, Key: historyKey(update), ...expressionsOf(update) }))
      }
    },
  }
}

/** As text, keys sort as their tokens do: no safe integer has more than 16 digits. */
export function historyKey({ lease, fencingToken }: TenureKey) {
  return { lease, record: `${TENURE_PREFIX}${String(fencingToken).padStart(16, '0')}` }
}

/**
 * One update per row. Rows of tenures that were taken over come before the row that remembers what was announced: what is
 * remembered as announced will not be written again.
 */
export function historyUpdates(facts: readonly Fact[], historyDays: number): readonly HistoryUpdate[] {
  const takenOver = facts.flatMap((fact) => (fact.kind === 'takenOver' ? [previousUpdate(fact, historyDays)] : []))
  const [first] = facts
  if (first === undefined) return []
  const { lease, fencingToken } = first
  const announced = facts.flatMap(eventsOf).map(({ mark }) => mark)
  const set = joined(facts.map((fact) => ownAttributes(fact, historyDays)))
  const candidates = facts.map((fact) => ('candidate' in fact ? { candidate: fact.candidate } : {}))
  const setWhereAbsent = joined([began(first, historyDays), ...candidates])
  return [...takenOver, { lease, fencingToken, set, setWhereAbsent, announced }]
}

function joined(parts: readonly Attributes[]): Attributes {
  return Object.fromEntries(parts.flatMap((part) => Object.entries(part)))
}

function ownAttributes(fact: Fact, historyDays: number): Attributes {
  switch (fact.kind) {
    case 'elected':
      return { ...began(fact, historyDays), candidate: fact.candidate }
    case 'ended': {
      const failure = fact.endedBy === 'failed' ? fact.errorName : undefined
      return { outcome: fact.endedBy, endedAtMs: fact.atMs, ...(failure === undefined ? {} : { failure }) }
    }
    case 'forced':
      return { outcome: 'forced', endedAtMs: fact.atMs }
    case 'takenOver':
    case 'paused':
    case 'resumed':
      return {}
  }
}

/** Where a leader was forced out but still named as the holder, that is how its tenure ended, not the takeover. */
function previousUpdate(fact: Extract<Fact, { kind: 'takenOver' }>, historyDays: number): HistoryUpdate {
  const { lease, fencingToken: successor, previous } = fact
  const { fencingToken, candidate, expiredAtMs } = previous
  const end = { outcome: 'takenOver', endedAtMs: expiredAtMs }
  const setWhereAbsent = { ...began(previous, historyDays), candidate, ...end }
  return { lease, fencingToken, set: { successor }, setWhereAbsent, announced: [] }
}

function began(tenure: { readonly tick?: string; readonly beganAtMs: number }, historyDays: number): Attributes {
  const { tick, beganAtMs } = tenure
  const ttl = Math.floor(beganAtMs / 1000) + historyDays * 86_400
  return { beganAtMs, ttl, ...(tick === undefined ? {} : { forTick: tick }) }
}

function expressionsOf({ set, setWhereAbsent, announced }: HistoryUpdate) {
  const whereAbsent = Object.keys(setWhereAbsent).filter((name) => !Object.hasOwn(set, name))
  const values = { ...setWhereAbsent, ...set }
  const sets = [
    ...Object.keys(set).map((name) => `#${name} = :${name}`),
    ...whereAbsent.map((name) => `#${name} = if_not_exists(#${name}, :${name})`),
  ]
  const marks = announced.length === 0 ? {} : { announced: new Set(announced) }
  const entries = Object.entries({ ...values, ...marks })
  return {
    UpdateExpression: `SET ${sets.join(', ')}${announced.length === 0 ? '' : ' ADD #announced :announced'}`,
    // By placeholders, since `ttl` is a reserved word.
    ExpressionAttributeNames: Object.fromEntries(entries.map(([name]) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(entries.map(([name, value]) => [`:${name}`, value])),
  }
}
