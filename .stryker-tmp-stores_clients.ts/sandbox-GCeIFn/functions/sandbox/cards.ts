/**
 * The sandbox's test cards. A payment method is `card_` and one of these numbers; the sandbox charges nothing else.
 *
 * | number | defined by | first request of an idempotency key | later requests of the key |
 * |---|---|---|---|
 * | 4242424242424242 | Stripe | charged | the same answer |
 * | 4000000000000002 | Stripe | declined: `generic_decline` | the same answer |
 * | 4000000000009995 | Stripe | declined: `insufficient_funds` | the same answer |
 * | 4000000000005001 | us | no answer in time and no charge: the request was lost | charged |
 * | 4000000000005019 | us | charged, but answered 500: the answer was lost | the charge's answer |
 * | 4000000000005027 | us | charged, and answered too late | the charge's answer |
 * | 4000000000005035 | us | answered 500, not charged | the same 500 until the key expires; then charged |
 *
 * A card misbehaves only at the first request of a key. After a key expired, its next request is charged or declined
 * normally.
 */
// @ts-nocheck


/** The result of a payment: stored under the key, and listed if it made a payment intent. */
export type Result =
  | { readonly kind: 'charged' }
  | { readonly kind: 'declined'; readonly declineCode: string }
  | { readonly kind: 'failed' }

export interface Behavior {
  /** Absent: the request is lost before anything happens, and its key stays unused. */
  readonly result?: Result
  /** The caller gets a 500 instead of the result. */
  readonly hidesResult?: boolean
  /** The answer comes after the caller's time-out. */
  readonly isLate?: boolean
}

const CHARGED: Behavior = { result: { kind: 'charged' } }

interface Card {
  readonly first: Behavior
  readonly later: Behavior
}

const always = (behavior: Behavior): Card => ({ first: behavior, later: behavior })
const atFirst = (behavior: Behavior): Card => ({ first: behavior, later: CHARGED })
const declined = (declineCode: string): Card => always({ result: { kind: 'declined', declineCode } })

export const CARD = {
  charged: 'card_4242424242424242',
  declined: 'card_4000000000000002',
  withoutFunds: 'card_4000000000009995',
  lostOnItsWay: 'card_4000000000005001',
  toldAFailure: 'card_4000000000005019',
  answeredLate: 'card_4000000000005027',
  failing: 'card_4000000000005035',
} as const
export const TEST_CARDS: readonly string[] = Object.values(CARD)

const CARDS: ReadonlyMap<string, Card> = new Map([
  [CARD.charged, always(CHARGED)],
  [CARD.declined, declined('generic_decline')],
  [CARD.withoutFunds, declined('insufficient_funds')],
  [CARD.lostOnItsWay, atFirst({ isLate: true })],
  [CARD.toldAFailure, atFirst({ ...CHARGED, hidesResult: true })],
  [CARD.answeredLate, atFirst({ ...CHARGED, isLate: true })],
  [CARD.failing, atFirst({ result: { kind: 'failed' } })],
])

export function cardOf(paymentMethod: string): Card | undefined {
  return CARDS.get(paymentMethod)
}
