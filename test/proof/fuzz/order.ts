/** An order that may be charged. */
export const ORDER = {
  customer: 'cus_0001',
  plan: 'plus-monthly',
  period: '2024-04-30',
  dunned: 0,
  amountMinor: 1999,
  currency: 'EUR',
  paymentMethod: 'card_4242424242424242',
}
