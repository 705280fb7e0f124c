import { expect, test } from 'vitest'
import { cardOf } from '../../functions/sandbox/cards.ts'
import { CARD } from './orders.ts'

/** The check digit that every card number ends in (Luhn's algorithm, ISO/IEC 7812-1). */
function isCardNumber(number: string): boolean {
  const digits = [...number].reverse().map(Number)
  const sum = digits.map((digit, i) => (i % 2 === 0 ? digit : digit * 2 - (digit > 4 ? 9 : 0)))
  return sum.reduce((total, digit) => total + digit, 0) % 10 === 0
}

test.each(Object.values(CARD))('%s is a card of the sandbox, with a number that forms accept', (number) => {
  expect(cardOf(`card_${number}`)).toBeDefined()
  expect(isCardNumber(number)).toBe(true)
})

test.each(['', 'card_', '4242424242424242', 'card_4111111111111111', 'cart_4242424242424242'])(
  'The sandbox has no payment method %j',
  (paymentMethod) => expect(cardOf(paymentMethod)).toBeUndefined(),
)
