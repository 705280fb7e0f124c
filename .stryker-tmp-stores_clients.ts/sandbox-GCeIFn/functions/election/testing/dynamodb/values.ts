/** Attribute values as they are on the wire. */
// @ts-nocheck

import { invalid } from './answer.ts'

export type Value =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: string }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }
  | { readonly M: Row }
  | { readonly L: readonly Value[] }
  | { readonly SS: readonly string[] }
  | { readonly NS: readonly string[] }
  | { readonly BS: readonly string[] }

/** A row, or the fields of a map. Rows, requests and answers share it, so it is never changed. */
export type Row = { readonly [attribute: string]: Value }

/** Never a property that every JavaScript object inherits. */
export function attributeOf(row: Row, name: string): Value | undefined {
  return Object.hasOwn(row, name) ? row[name] : undefined
}

export function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

export function readRow(json: unknown): Row {
  if (!isObject(json)) throw invalid('A map of attribute values was expected')
  const row: Record<string, Value> = {}
  for (const name in json) row[name] = readValue(json[name])
  return row
}

const isText = (content: unknown) => typeof content === 'string'
const READERS: Readonly<Record<string, (content: unknown) => Value | undefined>> = {
  S: (content) => (isText(content) ? { S: content } : undefined),
  B: (content) => (isText(content) ? { B: content } : undefined),
  N: (content) => (isText(content) ? { N: canonicalNumber(content) } : undefined),
  BOOL: (content) => (typeof content === 'boolean' ? { BOOL: content } : undefined),
  NULL: (content) => (content === true ? { NULL: true } : undefined),
  M: (content) => ({ M: readRow(content) }),
  L: (content) => (Array.isArray(content) ? { L: content.map(readValue) } : undefined),
  SS: (content) => ({ SS: readMembers(content) }),
  NS: (content) => ({ NS: readMembers(content).map(canonicalNumber) }),
  BS: (content) => ({ BS: readMembers(content) }),
}

function readValue(json: unknown): Value {
  const [[type = '', content] = [], ...more] = isObject(json) ? Object.entries(json) : []
  if (more.length > 0) throw invalid('Supplied AttributeValue has more than one datatypes set')
  const value = READERS[type]?.(content)
  if (value !== undefined) return value
  throw invalid('Supplied AttributeValue is empty, must contain exactly one of the supported datatypes')
}

/** In one order, so that equal sets are deeply equal. */
function readMembers(content: unknown): readonly string[] {
  const members = Array.isArray(content) ? content.map(String).sort() : []
  if (members.length === 0 || new Set(members).size < members.length) {
    throw invalid('One or more parameter values were invalid: A set is empty or contains duplicates')
  }
  return members
}

const SHORT_WHOLE = /^(?:0|-?[1-9]\d{0,14})$/
const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/

/** The one spelling under which a number is stored: digits without an exponent and without needless zeros. */
export function canonicalNumber(text: string): string {
  if (SHORT_WHOLE.test(text)) return text
  const [, sign, whole = '', fraction = '', exponent = '0'] = NUMBER.exec(text) ?? []
  if (whole + fraction === '') throw invalid(`The parameter cannot be converted to a numeric value: ${text}`)
  const digits = (whole + fraction).replace(/^0+/, '').replace(/0+$/, '')
  if (digits === '') return '0'
  const leadingZeros = /^0*/.exec(whole + fraction)?.[0].length ?? 0
  /** How many digits stand before the point. */
  const point = whole.length - leadingZeros + Number(exponent)
  if (point > 126) throw invalid('Number overflow. Attempting to store a number with too large a magnitude')
  if (point < -129) throw invalid('Number underflow. Attempting to store a number with too small a magnitude')
  if (digits.length > 38) throw invalid('Attempting to store more than 38 significant digits in a Number')
  const before = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0'
  const after = point > 0 ? digits.slice(point) : digits.padStart(digits.length - point, '0')
  return `${sign === '-' ? '-' : ''}${before}${after === '' ? '' : `.${after}`}`
}

/** Undefined for numbers that JavaScript's arithmetic may round, which the product neither adds nor compares. */
export function wholeNumber(value: Value): number | undefined {
  const number = 'N' in value ? Number(value.N) : Number.NaN
  return Number.isSafeInteger(number) ? number : undefined
}

/** Negative, 0 or positive as for sorting; undefined if the two have no order. */
export function compare(a: Value, b: Value): number | undefined {
  // Texts in the order of UTF-8.
  if ('S' in a) return 'S' in b ? Buffer.compare(Buffer.from(a.S), Buffer.from(b.S)) : undefined
  if (!('N' in a && 'N' in b)) return undefined
  const [left, right] = [wholeNumber(a), wholeNumber(b)]
  return left === undefined || right === undefined ? Number(a.N) - Number(b.N) : left - right
}
