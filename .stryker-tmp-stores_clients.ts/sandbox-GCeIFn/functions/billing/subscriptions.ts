/**
 * The table of subscriptions. Every write goes through the lease and carries its token; a condition on the period that
 * was read makes it harmless to send a write twice, as the SDK does when a reply is lost.
 */
// @ts-nocheck

import { type DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb'
import type { Lease } from '../election/index.ts'
import { isConditionFailed } from '../election/stores/dynamodb-errors.ts'
import { setAttributes } from './ledger.ts'
import {
  type AfterCharge,
  type AfterDecline,
  DUE_SHARDS,
  type DueEntry,
  type DueSubscription,
  readDueSubscription,
  type SubscriptionKey,
} from './subscription.ts'

export type Subscriptions = ReturnType<typeof subscriptionsTable>

/** An operator changed the subscription while it was charged. The ledger is right. */
export class SubscriptionChangedError extends Error {
  override readonly name = 'SubscriptionChangedError'

  constructor(period: string) {
    super(
      `A subscription was changed while its period ${period} was charged or declined. Compare it with the ledger, ` +
        'and change subscriptions only while the schedules are disabled and no leader is running',
    )
  }
}

export function subscriptionsTable(client: DynamoDBDocumentClient, TableName: string) {
  async function findInShard(dueShard: string, latest: string, signal: AbortSignal) {
    const found: DueEntry[] = []
    const query = {
      TableName,
      IndexName: 'due',
      KeyConditionExpression: 'dueShard = :dueShard AND dueAt <= :latest',
      ExpressionAttributeValues: { ':dueShard': dueShard, ':latest': latest },
    }
    for await (const page of paginateQuery({ client }, query, { abortSignal: signal })) {
      for (const { customer, plan, dueAt } of page.Items ?? []) found.push({ customer, plan, dueAt })
    }
    return found
  }

  return {
    /**
     * The subscriptions that the index `due` lists behind `after`, each once, latest due date first: old ones that no
     * tick could settle must not delay the others. The order is the same for every leader of the tick. The index is
     * eventually consistent: {@link Subscriptions.claimDue} confirms each entry, and the next tick finds what is
     * missing.
     */
    async findDue(tick: string, signal: AbortSignal, after?: DueEntry): Promise<readonly DueEntry[]> {
      const latest = after?.dueAt ?? tick
      const found = new Map<string, DueEntry>()
      for (const shard of DUE_SHARDS) {
        const entries = await findInShard(shard, latest, signal)
        // A row that moves while its shard is read may be listed twice.
        for (const entry of entries) found.set(JSON.stringify([entry.customer, entry.plan]), entry)
      }
      const inOrder = [...found.values()].sort(byDueDate)
      return after === undefined ? inOrder : inOrder.filter((entry) => byDueDate(after, entry) < 0)
    },

    /**
     * Confirms that the subscription is due, in one request that also keeps every older leader from moving it on.
     *
     * @returns undefined if it is not due
     * @throws StaleTokenError, LeaseLostError, CorruptSubscriptionError
     */
    async claimDue(
      lease: Pick<Lease, 'claim'>,
      { customer, plan }: SubscriptionKey,
      tick: string,
    ): Promise<DueSubscription | undefined> {
      try {
        const row = await lease.claim({
          TableName,
          Key: { customer, plan },
          ConditionExpression: '#dueAt <= :tick AND #status = :active',
          ExpressionAttributeNames: { '#dueAt': 'dueAt', '#status': 'status' },
          ExpressionAttributeValues: { ':tick': tick, ':active': 'active' },
        })
        return readDueSubscription(row, tick)
      } catch (error) {
        if (isConditionFailed(error)) return undefined
        throw error
      }
    },

    /**
     * Moves on after a charge, or counts a decline. Does nothing if the row is there already: then an earlier try of
     * this write was applied, but its reply was lost.
     *
     * @throws StaleTokenError, LeaseLostError
     * @throws SubscriptionChangedError if the row has changed otherwise since it was claimed
     */
    async moveOn(
      lease: Pick<Lease, 'send'>,
      from: DueSubscription,
      to: Omit<AfterCharge, 'dueAt'> | AfterCharge | AfterDecline,
    ): Promise<void> {
      const { customer, plan, period, dunned } = from
      const isSuspended = 'status' in to && to.status === 'suspended'
      const { UpdateExpression, ExpressionAttributeNames, ExpressionAttributeValues } = setAttributes({ period, ...to })
      try {
        await lease.send({
          TableName,
          Key: { customer, plan },
          ConditionExpression: '#period = :oldPeriod AND #dunned = :oldDunned',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          UpdateExpression: `${UpdateExpression}${isSuspended ? ' REMOVE dueAt, dueShard' : ''}`,
          ExpressionAttributeNames,
          ExpressionAttributeValues: { ...ExpressionAttributeValues, ':oldPeriod': period, ':oldDunned': dunned },
        })
      } catch (error) {
        if (!isConditionFailed(error)) throw error
        // The item is in DynamoDB's format: the document client does not convert those of errors.
        const { period: periodNow, dunned: dunnedNow } = error.Item ?? {}
        if (periodNow?.S === { period, ...to }.period && dunnedNow?.N === String(to.dunned)) return
        throw new SubscriptionChangedError(period)
      }
    },
  }
}

function byDueDate(a: DueEntry, b: DueEntry): number {
  return compare(b.dueAt, a.dueAt) || compare(a.customer, b.customer) || compare(a.plan, b.plan)
}

/** By UTF-16 units: unlike `localeCompare`, the same in every version of Node. */
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
