/**
 * The ledger: one row per try to charge a business unit. A row is written before the gateway is asked, and tells whoever
 * comes next what is known.
 *
 *     intended ──► charged
 *         │  ╲──► declined           the same period is tried again as another row, `dunned` higher by one
 *         ▼  ╱
 *      unknown ──► charged, declined
 *
 * | attribute | | meaning |
 * |---|---|---|
 * | `customer`, `charge` | S | partition and sort key; `charge` is `PLAN#PERIOD#DUNNED` |
 * | `plan`, `period`, `dunned` | S, S, N | the business unit, and how often it was declined before |
 * | `amountMinor`, `currency`, `paymentMethod` | N, S, S | the order as it is sent every time, whatever has changed since |
 * | `key` | S | the key of idempotency that goes with it, made of all but the payment method; kept, so that a release of this function that makes keys in another way still asks for the old one |
 * | `status` | S | as above; `intended` by an earlier leader means as little as `unknown` |
 * | `intendedBy`, `intendedAtMs`, `tick` | N, N, S | the token, time and tick of the leader that wrote the intent |
 * | `chargeId`, `declineCode`, `answeredAtMs` | S, S, N | the gateway's answer, and when it was written down |
 *
 * Both writes have no condition but the fence. The intent raises the row to its leader's token and returns what the row
 * says; from then on nobody older can change it, and who is newer has not been here. A leader answers a row once, so that
 * a repeated or delayed copy of either write changes nothing.
 */
import { type Lease, StaleTokenError } from '../election/index.ts'
import { isConditionFailed } from '../election/stores/dynamodb-errors.ts'
import type { ChargeOrder, ChargeOutcome } from './gateway.ts'
import { isAmountMinor, isCurrency } from './money.ts'

export type ChargeStatus = 'intended' | 'charged' | 'declined' | 'unknown'

/** A row of the ledger, as far as the task reads it. */
export interface Charge extends ChargeOrder {
  readonly key: string
  readonly status: ChargeStatus
  readonly intendedAtMs: number
  /** Whether this leader wrote the intent, so that nobody can have asked the gateway yet. */
  readonly fresh: boolean
}

export interface Ledger {
  /**
   * Writes down what is about to be charged, unless an earlier leader has; then its order stands.
   *
   * @returns the row as it is now
   * @throws StaleTokenError, LeaseLostError, CorruptChargeError
   */
  intend(lease: LedgerLease, order: ChargeOrder, tick: string, nowMs: number): Promise<Charge>
  /**
   * Writes down the gateway's answer, or that there was none.
   *
   * @throws StaleTokenError, LeaseLostError
   * @throws DuplicateChargeError where the row shows another charge of the gateway's, even to a leader that was replaced
   */
  answer(lease: LedgerLease, charge: Charge, answer: ChargeOutcome | 'unknown', nowMs: number): Promise<void>
}

export type LedgerLease = Pick<Lease, 'send' | 'fencingToken' | 'idempotencyKey'>

/** The gateway took the money for one try under two charge ids. Somebody must give one back. */
export class DuplicateChargeError extends Error {
  override readonly name = 'DuplicateChargeError'
  readonly chargeId: string

  constructor(chargeId: string, period: string, options?: ErrorOptions) {
    super(
      `The gateway's charge ${chargeId} pays for the period ${period} that the ledger shows as paid by another charge; ` +
        'refund one of them at the gateway; where that is the one in the ledger, write the other chargeId there',
      options,
    )
    this.chargeId = chargeId
  }
}

/** A row of the ledger holds what this function never writes. Nothing was charged for it; repair the row by hand. */
export class CorruptChargeError extends Error {
  override readonly name = 'CorruptChargeError'
  readonly attribute: string

  constructor(attribute: string) {
    super(
      `A row of the ledger has an attribute "${attribute}" that billing never writes so; nothing was charged for it`,
    )
    this.attribute = attribute
  }
}

const STATUSES: readonly ChargeStatus[] = ['intended', 'charged', 'declined', 'unknown']
const NOT_ANOTHER_CHARGE = 'attribute_not_exists(chargeId) OR chargeId = :chargeId'

/** The sort key of a try. */
export function chargeOf({ plan, period, dunned }: Pick<ChargeOrder, 'plan' | 'period' | 'dunned'>): string {
  return `${plan}#${period}#${dunned}`
}

export function chargesTable(TableName: string): Ledger {
  const keyOf = (order: ChargeOrder) => ({ customer: order.customer, charge: chargeOf(order) })

  return {
    async intend(lease, order, tick, nowMs) {
      const { customer, ...ordered } = order
      const { plan, period, dunned, amountMinor, currency } = ordered
      const key = lease.idempotencyKey('charge', customer, plan, period, dunned, amountMinor, currency)
      const intent = { ...ordered, key, status: 'intended', intendedBy: lease.fencingToken, intendedAtMs: nowMs, tick }
      const row = await lease.send({
        TableName,
        Key: keyOf(order),
        UpdateExpression: `SET ${Object.keys(intent)
          .map((name) => `#${name} = if_not_exists(#${name}, :${name})`)
          .join(', ')}`,
        ...placeholders(intent),
        ReturnValues: 'ALL_NEW',
      })
      return readCharge(row ?? {}, order, lease.fencingToken)
    },

    async answer(lease, charge, answer, nowMs) {
      const known = answer === 'unknown' ? { status: answer } : attributesOf(answer)
      const answered = { ...known, answeredAtMs: nowMs }
      try {
        await lease.send({
          TableName,
          Key: keyOf(charge),
          UpdateExpression: `SET ${Object.keys(answered)
            .map((name) => `#${name} = :${name}`)
            .join(', ')}`,
          ...placeholders(answered),
          ...('chargeId' in known && {
            ConditionExpression: NOT_ANOTHER_CHARGE,
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        })
      } catch (error) {
        // A replaced leader may bring a second charge, whose answer came late: of all that it may not write, this must be known.
        if ('chargeId' in known && showsAnotherCharge(error, known.chargeId)) {
          throw new DuplicateChargeError(known.chargeId, charge.period, { cause: error })
        }
        throw error
      }
    },
  }
}

/** Whether the row that refused the write, which comes with the error as DynamoDB stores it, has the id of another charge. */
function showsAnotherCharge(error: unknown, chargeId: string): boolean {
  const refusal = error instanceof StaleTokenError ? error.cause : error
  const seen = isConditionFailed(refusal) ? refusal.Item?.['chargeId']?.S : undefined
  return seen !== undefined && seen !== chargeId
}

function attributesOf(outcome: ChargeOutcome) {
  return outcome.status === 'charged'
    ? { status: outcome.status, chargeId: outcome.chargeId }
    : { status: outcome.status, declineCode: outcome.declineCode }
}

function placeholders(attributes: Readonly<Record<string, unknown>>) {
  const entries = Object.entries(attributes)
  return {
    ExpressionAttributeNames: Object.fromEntries(entries.map(([name]) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(entries.map(([name, value]) => [`:${name}`, value])),
  }
}

/** What a row says is sent to the gateway, so that one edited by hand must not become a wrong charge. */
function readCharge(row: Readonly<Record<string, unknown>>, order: ChargeOrder, fencingToken: number): Charge {
  const { amountMinor, currency, paymentMethod, key, intendedAtMs } = row
  const status = STATUSES.find((known) => known === row['status'])
  if (status === undefined) throw new CorruptChargeError('status')
  if (!isAmountMinor(amountMinor)) throw new CorruptChargeError('amountMinor')
  if (typeof currency !== 'string' || !isCurrency(currency)) throw new CorruptChargeError('currency')
  if (typeof paymentMethod !== 'string' || paymentMethod === '') throw new CorruptChargeError('paymentMethod')
  if (typeof key !== 'string' || key === '') throw new CorruptChargeError('key')
  if (typeof intendedAtMs !== 'number') throw new CorruptChargeError('intendedAtMs')
  const fresh = status === 'intended' && row['intendedBy'] === fencingToken
  return { ...order, amountMinor, currency, paymentMethod, key, status, intendedAtMs, fresh }
}
