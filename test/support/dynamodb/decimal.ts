/**
 * DynamoDB's numbers: decimals of up to 38 digits, sent as text. Whole numbers of up to 15 digits, which is all that the
 * shipped code stores, are added and compared as JavaScript's own; all others exactly, as a coefficient and a power of ten.
 */
import { invalid } from './refusal.ts'

const SHORT_WHOLE = /^(?:0|-?[1-9]\d{0,14})$/
const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/
const MOST_DIGITS = 38
const HIGHEST_POWER = 125
const LOWEST_POWER = -130

interface Decimal {
  readonly coefficient: bigint
  readonly power: number
}

/** The one spelling under which a number is stored. */
export function canonicalNumber(text: string): string {
  return SHORT_WHOLE.test(text) ? text : print(parse(text))
}

export function addNumbers(a: string, b: string): string {
  return sum(a, b, 1)
}

export function subtractNumbers(a: string, b: string): string {
  return sum(a, b, -1)
}

/** Negative, 0 or positive, as for sorting. */
export function compareNumbers(a: string, b: string): number {
  if (SHORT_WHOLE.test(a) && SHORT_WHOLE.test(b)) return Number(a) - Number(b)
  const { left, right } = aligned(parse(a), parse(b))
  return left < right ? -1 : left > right ? 1 : 0
}

function sum(a: string, b: string, sign: 1 | -1): string {
  if (SHORT_WHOLE.test(a) && SHORT_WHOLE.test(b)) return String(Number(a) + sign * Number(b))
  const { left, right, power } = aligned(parse(a), parse(b))
  return print(normal({ coefficient: left + BigInt(sign) * right, power }))
}

function parse(text: string): Decimal {
  const [, sign, whole = '', fraction = '', exponent = '0'] = NUMBER.exec(text) ?? []
  if (whole + fraction === '') throw invalid(`The parameter cannot be converted to a numeric value: ${text}`)
  const digits = BigInt(whole + fraction)
  return normal({ coefficient: sign === '-' ? -digits : digits, power: Number(exponent) - fraction.length })
}

/** Without trailing zeros, and refused where it is too long or too large to be stored. */
function normal({ coefficient, power }: Decimal): Decimal {
  if (coefficient === 0n) return { coefficient, power: 0 }
  const all = coefficient.toString()
  const digits = all.replace(/0+$/, '')
  const zeros = all.length - digits.length
  const count = digits.replace('-', '').length
  const magnitude = power + zeros + count - 1
  if (magnitude > HIGHEST_POWER) {
    throw invalid('Number overflow. Attempting to store a number with magnitude larger than supported range')
  }
  if (magnitude < LOWEST_POWER) {
    throw invalid('Number underflow. Attempting to store a number with magnitude smaller than supported range')
  }
  if (count > MOST_DIGITS) throw invalid('Attempting to store more than 38 significant digits in a Number')
  return { coefficient: BigInt(digits), power: power + zeros }
}

function aligned(a: Decimal, b: Decimal): { left: bigint; right: bigint; power: number } {
  const power = Math.min(a.power, b.power)
  const raised = ({ coefficient, power: own }: Decimal) => coefficient * 10n ** BigInt(own - power)
  return { left: raised(a), right: raised(b), power }
}

function print({ coefficient, power }: Decimal): string {
  if (power >= 0) return (coefficient * 10n ** BigInt(power)).toString()
  const sign = coefficient < 0n ? '-' : ''
  const digits = coefficient
    .toString()
    .replace('-', '')
    .padStart(1 - power, '0')
  return `${sign}${digits.slice(0, power)}.${digits.slice(power)}`
}
