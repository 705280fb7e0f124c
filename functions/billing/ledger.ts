/**
 * The ledger: one row per business unit that was paid, `customer` with `charge` = `PLAN#PERIOD`, written after the
 * gateway charged and before the subscription moves on, so that a charge missing here is always found and repeated.
 */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import type { Lease } from '../election/index.ts'
import type { Money } from './money.ts'
import type { BusinessUnit } from './subscription.ts'

export interface LedgerEntry extends BusinessUnit, Money {
  /** The gateway's id of the charge. */
  readonly chargeId: string
  readonly tick: string
  readonly chargedAtMs: number
}

export interface Ledger {
  /**
   * Records a charge; again with the same `chargeId` changes nothing of consequence.
   * @throws DuplicateChargeError, StaleTokenError, LeaseLostError
   */
  record(lease: Pick<Lease, 'send' | 'fencingToken'>, entry: LedgerEntry): Promise<void>
}

/** The gateway took the money for one business unit under two charge ids. Somebody must give one back. */
export class DuplicateChargeError extends Error {
  override readonly name = 'DuplicateChargeError'
  readonly chargeId: string

  constructor({ chargeId, period }: LedgerEntry) {
    super(
      `The gateway's charge ${chargeId} pays for the period ${period} that the ledger shows as paid by another charge; ` +
        'refund one of them, then correct the ledger',
    )
    this.chargeId = chargeId
  }
}

const NEW_OR_THE_SAME = 'attribute_not_exists(chargeId) OR chargeId = :chargeId'

export function chargesTable(TableName: string): Ledger {
  return {
    async record(lease, entry) {
      try {
        await lease.send({
          TableName,
          Item: { ...entry, charge: `${entry.plan}#${entry.period}`, fencingToken: lease.fencingToken },
          ConditionExpression: NEW_OR_THE_SAME,
          ExpressionAttributeValues: { ':chargeId': entry.chargeId },
        })
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) throw new DuplicateChargeError(entry)
        throw error
      }
    },
  }
}
