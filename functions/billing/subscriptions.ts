/**
 * The table of subscriptions. Every write goes through the lease and carries its token; a condition on the period that
 * was read makes it harmless to send a write twice, as the SDK does when a reply is lost.
 */
import { type DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb'
import type { Lease } from '../election/index.ts'
import { isConditionFailed } from '../election/stores/dynamodb-errors.ts'
import {
  type AfterCharge,
  type AfterDecline,
  DUE_SHARDS,
  type DueSubscription,
  readDueSubscription,
  type SubscriptionKey,
} from './subscription.ts'

export interface Subscriptions {
  /**
   * The subscriptions that the index `due` names, each once, those that fell due last first: what no tick could settle
   * must not stand before what can be. The index is eventually consistent: what it names is a hint that
   * {@link Subscriptions.claimDue} confirms, and what it does not name yet is found at the next tick.
   */
  findDue(tick: string, signal: AbortSignal): Promise<readonly SubscriptionKey[]>
  /**
   * Confirms that the subscription is due, in one request that also keeps every older leader from moving it on.
   *
   * @returns what is due, or undefined where nothing is
   * @throws StaleTokenError, LeaseLostError, CorruptSubscriptionError
   */
  claimDue(lease: Pick<Lease, 'claim'>, key: SubscriptionKey, tick: string): Promise<DueSubscription | undefined>
  /**
   * Moves on after a charge, or counts a decline. Does nothing where the row is there already: by our own write, whose reply
   * was lost and which the SDK sent again.
   *
   * @throws StaleTokenError, LeaseLostError
   * @throws SubscriptionChangedError where the row has become something else meanwhile
   */
  moveOn(lease: Pick<Lease, 'send'>, from: DueSubscription, to: AfterCharge | AfterDecline): Promise<void>
}

/** Somebody changed the subscription by hand while it was being charged. What the ledger says stands. */
export class SubscriptionChangedError extends Error {
  override readonly name = 'SubscriptionChangedError'

  constructor(period: string) {
    super(
      `A subscription is no longer at the period ${period} that was just charged or declined: it was changed meanwhile. ` +
        'Compare it with the ledger, and change subscriptions only while the schedules are disabled and nobody leads',
    )
  }
}

type Hint = SubscriptionKey & { readonly dueAt: string }

const DUE_INDEX = 'due'
const STILL_DUE = '#dueAt <= :tick AND #status = :active'
const UNCHANGED = '#period = :period AND #dunned = :dunned'

export function subscriptionsTable(client: DynamoDBDocumentClient, TableName: string): Subscriptions {
  async function findInShard(dueShard: string, tick: string, signal: AbortSignal) {
    const found: Hint[] = []
    const query = {
      TableName,
      IndexName: DUE_INDEX,
      KeyConditionExpression: 'dueShard = :dueShard AND dueAt <= :tick',
      ExpressionAttributeValues: { ':dueShard': dueShard, ':tick': tick },
    }
    for await (const page of paginateQuery({ client }, query, { abortSignal: signal })) {
      for (const { customer, plan, dueAt } of page.Items ?? []) found.push({ customer, plan, dueAt })
    }
    return found
  }

  return {
    async findDue(tick, signal) {
      const shards = await Promise.all(DUE_SHARDS.map((shard) => findInShard(shard, tick, signal)))
      // A row that moves while its shard is read may be listed twice.
      const found = new Map(shards.flat().map((hint) => [JSON.stringify([hint.customer, hint.plan]), hint]))
      return [...found.values()].sort((a, b) => b.dueAt.localeCompare(a.dueAt))
    },

    // Nothing is charged on the word of the index, nor on a read that another leader's write has overtaken.
    async claimDue(lease, { customer, plan }, tick) {
      try {
        const row = await lease.claim({
          TableName,
          Key: { customer, plan },
          ConditionExpression: STILL_DUE,
          ExpressionAttributeNames: { '#dueAt': 'dueAt', '#status': 'status' },
          ExpressionAttributeValues: { ':tick': tick, ':active': 'active' },
        })
        return readDueSubscription(row, tick)
      } catch (error) {
        if (isConditionFailed(error)) return undefined
        throw error
      }
    },

    async moveOn(lease, { customer, plan, period, dunned }, to) {
      const changes = Object.entries(to)
      const leavesTheIndex = 'status' in to && to.status === 'suspended'
      try {
        await lease.send({
          TableName,
          Key: { customer, plan },
          ConditionExpression: UNCHANGED,
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          UpdateExpression: `SET ${changes.map(([name]) => `#${name} = :new_${name}`).join(', ')}
            ${leavesTheIndex ? 'REMOVE dueAt, dueShard' : ''}`,
          ExpressionAttributeNames: {
            '#period': 'period',
            '#dunned': 'dunned',
            ...Object.fromEntries(changes.map(([name]) => [`#${name}`, name])),
          },
          ExpressionAttributeValues: {
            ':period': period,
            ':dunned': dunned,
            ...Object.fromEntries(changes.map(([name, value]) => [`:new_${name}`, value])),
          },
        })
      } catch (error) {
        if (!isConditionFailed(error)) throw error
        // As DynamoDB stores it, for the document client leaves it so.
        const { period: periodNow, dunned: dunnedNow } = error.Item ?? {}
        const wanted = { period, ...to }
        if (periodNow?.S === wanted.period && dunnedNow?.N === String(wanted.dunned)) return
        throw new SubscriptionChangedError(period)
      }
    },
  }
}
