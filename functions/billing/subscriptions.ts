/**
 * The table of subscriptions. Every write goes through the lease and carries its token; conditions on what was read make
 * it harmless to send a write twice, as the SDK does when a reply is lost.
 */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import { type DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb'
import type { Lease } from '../election/index.ts'
import {
  type AfterCharge,
  type AfterDecline,
  DUE_SHARDS,
  type DueSubscription,
  readDueSubscription,
  type SubscriptionKey,
} from './subscription.ts'

type Sender = Pick<Lease, 'send'>

export interface Subscriptions {
  /**
   * The subscriptions that the index `due` names, each once. The index is eventually consistent: what it names is a
   * hint that {@link Subscriptions.begin} confirms, and what it does not name yet is found at the next tick.
   */
  findDue(tick: string, signal: AbortSignal): Promise<readonly SubscriptionKey[]>
  /**
   * Confirms that the subscription is due and writes down that it is about to be charged, in one request.
   *
   * @param nowMs the wall clock; when an earlier tenure has begun the same charge, its time and amount stay
   * @returns what to charge, or undefined where nothing is due
   * @throws StaleTokenError, LeaseLostError, CorruptSubscriptionError
   */
  begin(lease: Sender, key: SubscriptionKey, tick: string, nowMs: number): Promise<DueSubscription | undefined>
  /**
   * Moves on after a charge. Does nothing where the row has moved on already: by our own write, whose reply was lost and
   * which the SDK sent again. @throws StaleTokenError, LeaseLostError
   */
  advance(lease: Sender, from: DueSubscription, to: AfterCharge): Promise<void>
  /** Counts a decline, in the same way. */
  decline(lease: Sender, from: DueSubscription, to: AfterDecline): Promise<void>
}

const DUE_INDEX = 'due'
const STILL_DUE = '#dueAt <= :tick AND #status = :active'
const UNCHANGED = '#period = :period AND #dunned = :dunned'
const REMOVE_INTENT = 'REMOVE intentStartedAtMs, intentAmountMinor, intentCurrency'
// The price is copied, not referred to: whoever repeats this charge sends the same body, though the price has changed meanwhile.
const KEEP_OR_SET_INTENT = `SET intentStartedAtMs = if_not_exists(intentStartedAtMs, :nowMs),
  intentAmountMinor = if_not_exists(intentAmountMinor, #priceMinor), intentCurrency = if_not_exists(intentCurrency, #currency)`

export function subscriptionsTable(client: DynamoDBDocumentClient, TableName: string): Subscriptions {
  async function findInShard(dueShard: string, tick: string, signal: AbortSignal): Promise<SubscriptionKey[]> {
    const found: SubscriptionKey[] = []
    const query = {
      TableName,
      IndexName: DUE_INDEX,
      KeyConditionExpression: 'dueShard = :dueShard AND dueAt <= :tick',
      ExpressionAttributeValues: { ':dueShard': dueShard, ':tick': tick },
    }
    for await (const page of paginateQuery({ client }, query, { abortSignal: signal })) {
      for (const { customer, plan } of page.Items ?? []) found.push({ customer, plan })
    }
    return found
  }

  async function moveOn(
    lease: Sender,
    { customer, plan, period, dunned }: DueSubscription,
    to: AfterCharge | AfterDecline,
    leavesIndex: boolean,
  ): Promise<void> {
    const changes = Object.entries(to)
    try {
      await lease.send({
        TableName,
        Key: { customer, plan },
        ConditionExpression: UNCHANGED,
        UpdateExpression: `SET ${changes.map(([name]) => `#${name} = :new_${name}`).join(', ')}
          ${REMOVE_INTENT}${leavesIndex ? ', dueAt, dueShard' : ''}`,
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
      if (!(error instanceof ConditionalCheckFailedException)) throw error
    }
  }

  return {
    async findDue(tick, signal) {
      const shards = await Promise.all(DUE_SHARDS.map((shard) => findInShard(shard, tick, signal)))
      // A row that moves while its shard is read may be listed twice.
      return [...new Map(shards.flat().map((key) => [JSON.stringify([key.customer, key.plan]), key])).values()]
    },

    // One request instead of a read and a write: the row comes back as it was when the token and the due date held, so
    // nothing is charged on the word of the index, nor on a read that another leader's write has overtaken.
    async begin(lease, { customer, plan }, tick, nowMs) {
      try {
        const row = await lease.send({
          TableName,
          Key: { customer, plan },
          ConditionExpression: STILL_DUE,
          UpdateExpression: KEEP_OR_SET_INTENT,
          ExpressionAttributeNames: {
            '#dueAt': 'dueAt',
            '#status': 'status',
            '#priceMinor': 'priceMinor',
            '#currency': 'currency',
          },
          ExpressionAttributeValues: { ':tick': tick, ':active': 'active', ':nowMs': nowMs },
          ReturnValues: 'ALL_NEW',
        })
        return readDueSubscription(row ?? {})
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return undefined
        throw error
      }
    },

    advance: (lease, from, to) => moveOn(lease, from, to, false),
    decline: (lease, from, to) => moveOn(lease, from, to, to.status === 'unpaid'),
  }
}
