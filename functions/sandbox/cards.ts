/**
 * The sandbox's cards. A payment method is `card_` and one of these numbers; nothing else can be charged here.
 *
 * | number | | first request of a key | later ones |
 * |---|---|---|---|
 * | 4242424242424242 | Stripe's | charged | the same answer |
 * | 4000000000000002 | Stripe's | declined: `generic_decline` | the same answer |
 * | 4000000000009995 | Stripe's | declined: `insufficient_funds` | the same answer |
 * | 4000000000005001 | ours | no answer in time and no charge: as if it had been lost on its way there | charged |
 * | 4000000000005019 | ours | charged, but told 500: the answer was lost on its way back | the charge's answer |
 * | 4000000000005027 | ours | charged, and answered too late | the charge's answer |
 * | 4000000000005035 | ours | fails with 500, without a charge | the same 500, until the key is forgotten; then charged |
 *
 * A card misbehaves at the first request that ever used a key. A key that was forgotten is charged or declined plainly.
 */

/** What became of the payment: kept under the key and listed where it came to a payment intent. */
export type Result =
  | { readonly kind: 'charged' }
  | { readonly kind: 'declined'; readonly declineCode: string }
  | { readonly kind: 'failed' }

export interface Conduct {
  /** Absent: the request is lost before anything happens, and its key stays free. */
  readonly result?: Result
  /** Whether the requester is told a 500 in place of the result. */
  readonly hidesResult?: boolean
  /** Whether the answer, whatever it is, comes after everybody has stopped waiting. */
  readonly isLate?: boolean
}

const CHARGED: Conduct = { result: { kind: 'charged' } }

interface Card {
  readonly first: Conduct
  readonly later: Conduct
}

const always = (conduct: Conduct): Card => ({ first: conduct, later: conduct })
const atFirst = (conduct: Conduct): Card => ({ first: conduct, later: CHARGED })
const declined = (declineCode: string): Card => always({ result: { kind: 'declined', declineCode } })

const CARDS: ReadonlyMap<string, Card> = new Map([
  ['4242424242424242', always(CHARGED)],
  ['4000000000000002', declined('generic_decline')],
  ['4000000000009995', declined('insufficient_funds')],
  ['4000000000005001', atFirst({ isLate: true })],
  ['4000000000005019', atFirst({ ...CHARGED, hidesResult: true })],
  ['4000000000005027', atFirst({ ...CHARGED, isLate: true })],
  ['4000000000005035', atFirst({ result: { kind: 'failed' } })],
])

/** Undefined for a payment method that does not exist. */
export function cardOf(paymentMethod: string): Card | undefined {
  return paymentMethod.startsWith('card_') ? CARDS.get(paymentMethod.slice('card_'.length)) : undefined
}
