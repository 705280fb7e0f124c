/**
 * Writes the history of tenures.
 *
 * Facts come in any order and any number of times, and leave the same row: each attribute belongs to one kind of fact,
 * which sets it; other kinds that know its value set it only if it is absent. No fact removes an attribute. (If a
 * leader is forced out twice in one tenure, by two edits of the row, the first of the two that is delivered counts.)
 * A row is kept from the end of its tenure, which can last longer than rows are kept: it has no `ttl` before. (The row
 * of a tenure whose end no record shows, such as that of a deleted lease row, stays.)
 *
 * A leader can close thousands of missed ticks. So that the row stays small, it has only the last of these that was
 * announced: earlier ones were, too, because the stream delivers the changes of a row in order.
 */
// @ts-nocheck

import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { eventsOf, type LeaseEvent } from './events.ts'
import type { Fact, FactOf } from './facts.ts'
import { type HistoryAttributes, historyKey, type TenureKey } from './history-row.ts'

export interface History {
  /** Whether all events of a fact of the tenure were sent. */
  announced(tenure: TenureKey): Promise<(fact: Fact) => boolean>
  /** Writes down facts of one tenure and that they were announced: one request per row. */
  record(facts: readonly Fact[]): Promise<void>
}

/** For a table that cannot expire rows: without a history, a record delivered twice is announced twice. */
export const noHistory: History = {
  announced: () => Promise.resolve(() => false),
  record: () => Promise.resolve(),
}

export interface HistoryUpdate extends TenureKey {
  readonly set: HistoryAttributes
  readonly setIfAbsent: HistoryAttributes
  readonly announced: readonly string[]
}

export function historyTable(client: DynamoDBDocumentClient, TableName: string, historyDays: number): History {
  return {
    async announced(tenure) {
      const command = new GetCommand({
        TableName,
        Key: historyKey(tenure),
        ConsistentRead: true,
        ProjectionExpression: '#announced, #closedTick',
        ExpressionAttributeNames: { '#announced': 'announced', '#closedTick': 'closedTick' },
      })
      const { announced, closedTick }: Record<string, unknown> = { ...(await client.send(command)).Item }
      const isSent = ({ localId }: LeaseEvent) => announced instanceof Set && announced.has(localId)
      return (fact) =>
        fact.kind === 'closed'
          ? typeof closedTick === 'string' && fact.closedTick <= closedTick
          : eventsOf(fact).every(isSent)
    },

    async record(facts) {
      for (const update of historyUpdates(facts, historyDays)) {
        await client.send(new UpdateCommand({ TableName, Key: historyKey(update), ...expressionsOf(update) }))
      }
    },
  }
}

/**
 * One update per row. The row of a tenure that was taken over comes before the row that remembers what was announced:
 * after the second write, the first would not be repeated.
 */
export function historyUpdates(facts: readonly Fact[], historyDays: number): readonly HistoryUpdate[] {
  const [first] = facts
  if (first === undefined) return []
  const takenOver = facts.flatMap((fact) => (fact.kind === 'takenOver' ? [previousUpdate(fact, historyDays)] : []))
  const { lease, fencingToken } = first
  const set = merged(facts.map((fact) => ownAttributes(fact, historyDays)))
  const candidates = facts.map((fact) => ('candidate' in fact ? { candidate: fact.candidate } : {}))
  const setIfAbsent = merged([began(first), ...candidates, ...endedBefore(facts, historyDays)])
  const announced = facts
    .flatMap((fact) => (fact.kind === 'closed' ? [] : eventsOf(fact)))
    .map(({ localId }) => localId)
  return [...takenOver, { lease, fencingToken, set, setIfAbsent, announced }]
}

const merged = (parts: readonly HistoryAttributes[]): HistoryAttributes => Object.assign({}, ...parts)

function ownAttributes(fact: Fact, historyDays: number): HistoryAttributes {
  switch (fact.kind) {
    case 'elected':
      return { forTick: fact.tick, beganAtMs: fact.beganAtMs, candidate: fact.candidate }
    case 'ended':
      return {
        outcome: fact.endedBy,
        endedAtMs: fact.atMs,
        failure: fact.errorName,
        ttl: ttlOf(fact.atMs, historyDays),
      }
    case 'forced':
      // The same time as that of a later takeover.
      return { outcome: 'forced', endedAtMs: fact.atMs, ttl: ttlOf(fact.expiresAtMs, historyDays) }
    case 'closed':
      return { closedTick: fact.closedTick }
    default:
      return {}
  }
}

/** If the leader was forced out but the row still named it, the tenure's outcome stays `forced`. */
function previousUpdate(
  { lease, fencingToken: successor, previous }: FactOf<'takenOver'>,
  historyDays: number,
): HistoryUpdate {
  const { fencingToken, candidate, expiredAtMs } = previous
  const end = { outcome: 'takenOver' as const, endedAtMs: expiredAtMs }
  const setIfAbsent = { ...began(previous), candidate, ...end }
  const set = { successor, ttl: ttlOf(expiredAtMs, historyDays) }
  return { lease, fencingToken, set, setIfAbsent, announced: [] }
}

function began({ tick: forTick, beganAtMs }: { readonly tick?: string | undefined; readonly beganAtMs: number }) {
  return { forTick, beganAtMs }
}

/** A pause of a vacant lease must not keep the row forever: DynamoDB may have removed the one that had the end. */
function endedBefore(facts: readonly Fact[], historyDays: number): readonly HistoryAttributes[] {
  const isPauseOfVacant = (fact: Fact) => (fact.kind === 'paused' || fact.kind === 'resumed') && fact.isVacant
  return facts.filter(isPauseOfVacant).map(({ beganAtMs }) => ({ ttl: ttlOf(beganAtMs, historyDays) }))
}

const ttlOf = (fromMs: number, historyDays: number) => Math.floor(fromMs / 1000) + historyDays * 86_400

function expressionsOf({ set, setIfAbsent, announced }: HistoryUpdate) {
  const isGiven = ([, value]: readonly [string, unknown]) => value !== undefined
  const always = Object.entries(set).filter(isGiven)
  const ifAbsent = Object.entries(setIfAbsent).filter((entry) => isGiven(entry) && !Object.hasOwn(set, entry[0]))
  const ids = announced.length === 0 ? [] : [['announced', new Set(announced)] as const]
  const entries = [...always, ...ifAbsent, ...ids]
  const sets = [
    ...always.map(([name]) => `#${name} = :${name}`),
    ...ifAbsent.map(([name]) => `#${name} = if_not_exists(#${name}, :${name})`),
  ]
  return {
    UpdateExpression: `SET ${sets.join(', ')}${announced.length === 0 ? '' : ' ADD #announced :announced'}`,
    // With placeholders, since `ttl` is a reserved word.
    ExpressionAttributeNames: Object.fromEntries(entries.map(([name]) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(entries.map(([name, value]) => [`:${name}`, value])),
  }
}
