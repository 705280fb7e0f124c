/**
 * The ledger: one row per try to charge a business unit. The row is written before the gateway is asked, and shows
 * every later leader what is known.
 *
 *     intended ──► charged
 *         │  ╲──► declined           the period is tried again as another row, with `dunned` increased by one
 *         ▼  ╱
 *      unknown ──► charged, declined
 *
 * | attribute | type | meaning |
 * |---|---|---|
 * | `customer`, `charge` | S | partition and sort key; `charge` is `PLAN#PERIOD#DUNNED` |
 * | `plan`, `period`, `dunned` | S, S, N | the business unit, and how often it was declined before |
 * | `amountMinor`, `currency`, `paymentMethod` | N, S, S | the order; repetitions send it unchanged |
 * | `key` | S | its idempotency key, made of all but the payment method; kept if a release makes keys differently |
 * | `status` | S | as above; `intended` by an earlier leader means the same as `unknown` |
 * | `intendedBy`, `intendedAtMs`, `tick` | N, N, S | token, time and tick of the leader that wrote the intent |
 * | `chargeId`, `declineCode`, `answeredAtMs` | S, S, N | the gateway's answer, and when it was written |
 *
 * The fence is the only condition of both writes (and `answer` writes no second charge). The intent sets the row's
 * token to its leader's and returns the row: after that no older leader can change it. A leader answers a row once, so
 * that a repeated or delayed copy of either write changes nothing.
 */
// @ts-nocheck

import * as v from 'valibot'
import { type Lease, StaleTokenError } from '../election/index.ts'
import { isConditionFailed } from '../election/stores/dynamodb-errors.ts'
import type { ChargeOrder, ChargeOutcome } from './gateway.ts'
import { isAmountMinor, isCurrency } from './money.ts'

/** A row of the ledger, as far as billing reads it. */
export interface Charge extends ChargeOrder {
  readonly key: string
  readonly status: (typeof STATUSES)[number]
  /** This leader wrote the intent, so no earlier leader has asked the gateway. */
  readonly fresh: boolean
}

export type Ledger = ReturnType<typeof chargesTable>
export type LedgerLease = Pick<Lease, 'send' | 'fencingToken' | 'idempotencyKey'>

/** The gateway charged one try twice. An operator must refund one of the two. */
export class DuplicateChargeError extends Error {
  override readonly name = 'DuplicateChargeError'

  constructor(chargeId: string, period: string, options?: ErrorOptions) {
    super(
      `The gateway's charge ${chargeId} pays for the period ${period}, but the ledger shows another charge for it; ` +
        "refund one of them at the gateway; if you refund the ledger's, write the other chargeId there",
      options,
    )
  }
}

/** A row of the ledger holds what billing never writes. Nothing was charged for it; repair the row by hand. */
export class CorruptChargeError extends Error {
  override readonly name = 'CorruptChargeError'
  readonly attribute: string

  constructor(attribute: string) {
    super(
      `A row of the ledger holds what billing never writes in the attribute "${attribute}"; nothing was charged for it`,
    )
    this.attribute = attribute
  }
}

const STATUSES = ['intended', 'charged', 'declined', 'unknown'] as const
const NOT_ANOTHER_CHARGE = 'attribute_not_exists(chargeId) OR chargeId = :chargeId'

export function chargesTable(TableName: string) {
  return {
    /**
     * Writes what is about to be charged. If an earlier leader has, its order stays.
     *
     * @returns the row as it is now
     * @throws StaleTokenError, LeaseLostError, CorruptChargeError
     */
    async intend(lease: LedgerLease, order: ChargeOrder, tick: string, nowMs: number): Promise<Charge> {
      const { customer, ...ordered } = order
      const { plan, period, dunned, amountMinor, currency } = ordered
      const key = lease.idempotencyKey('charge', customer, plan, period, dunned, amountMinor, currency)
      const intent = { ...ordered, key, status: 'intended', intendedBy: lease.fencingToken, intendedAtMs: nowMs, tick }
      const row = await lease.send({
        TableName,
        Key: keyOf(order),
        ...setAttributes(intent, (name) => `#${name} = if_not_exists(#${name}, :${name})`),
        ReturnValues: 'ALL_NEW',
      })
      return readCharge(row ?? {}, order, lease.fencingToken)
    },

    /**
     * Writes the gateway's answer, or that none came.
     *
     * @throws StaleTokenError, LeaseLostError
     * @throws DuplicateChargeError if the row has another charge, also to a leader that was replaced
     */
    async answer(lease: LedgerLease, charge: Charge, answer: ChargeOutcome | 'unknown', nowMs: number): Promise<void> {
      const { replayed: _notStored, ...known } = answer === 'unknown' ? { status: answer, replayed: false } : answer
      try {
        await lease.send({
          TableName,
          Key: keyOf(charge),
          ...setAttributes({ ...known, answeredAtMs: nowMs }),
          ...('chargeId' in known && {
            ConditionExpression: NOT_ANOTHER_CHARGE,
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        })
      } catch (error) {
        // A replaced leader may not write its late answer, but if that is a second charge, it must be reported.
        if ('chargeId' in known && showsAnotherCharge(error, known.chargeId)) {
          throw new DuplicateChargeError(known.chargeId, charge.period, { cause: error })
        }
        throw error
      }
    },
  }
}

function keyOf({ customer, plan, period, dunned }: ChargeOrder) {
  return { customer, charge: `${plan}#${period}#${dunned}` }
}

/** Whether the row that refused the write, which comes with the error in DynamoDB's format, has another charge. */
function showsAnotherCharge(error: unknown, chargeId: string): boolean {
  const refusal = error instanceof StaleTokenError ? error.cause : error
  const found = isConditionFailed(refusal) ? refusal.Item?.['chargeId']?.S : undefined
  return found !== undefined && found !== chargeId
}

/** The parts of an update that sets attributes, by names and values with placeholders of the same name. */
export function setAttributes(
  attributes: Readonly<Record<string, unknown>>,
  assignment = (name: string) => `#${name} = :${name}`,
) {
  const entries = Object.entries(attributes)
  return {
    UpdateExpression: `SET ${entries.map(([name]) => assignment(name)).join(', ')}`,
    ExpressionAttributeNames: Object.fromEntries(entries.map(([name]) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(entries.map(([name, value]) => [`:${name}`, value])),
  }
}

const text = v.pipe(v.string(), v.nonEmpty())
const rowSchema = v.object({
  ...{ amountMinor: v.custom<number>(isAmountMinor), currency: v.custom<string>(isCurrency) },
  ...{ paymentMethod: text, key: text, status: v.picklist(STATUSES) },
})

/** Validates the row: it is sent to the gateway, and a wrong manual edit must not become a wrong charge. */
function readCharge(row: Readonly<Record<string, unknown>>, order: ChargeOrder, fencingToken: number): Charge {
  const { success, output, issues } = v.safeParse(rowSchema, row)
  if (!success) throw new CorruptChargeError(String(v.getDotPath(issues[0])))
  return { ...order, ...output, fresh: output.status === 'intended' && row['intendedBy'] === fencingToken }
}
