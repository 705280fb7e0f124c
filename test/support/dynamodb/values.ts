/** Attribute values as they are on the wire: which are well formed, equal, or in order. */
import { canonicalNumber, compareNumbers } from './decimal.ts'
import { invalid, invalidParameter } from './refusal.ts'

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

/** A row, or the fields of a map. Shared between rows, requests and answers, and therefore never changed. */
export type Row = { readonly [attribute: string]: Value }

export type ValueType = 'S' | 'N' | 'B' | 'BOOL' | 'NULL' | 'M' | 'L' | 'SS' | 'NS' | 'BS'
type SetType = 'SS' | 'NS' | 'BS'

const TYPES: ReadonlySet<string> = new Set<ValueType>(['S', 'N', 'B', 'BOOL', 'NULL', 'M', 'L', 'SS', 'NS', 'BS'])

export function isValueType(text: string): text is ValueType {
  return TYPES.has(text)
}

export function typeOf(value: Value): ValueType {
  if ('S' in value) return 'S'
  if ('N' in value) return 'N'
  if ('BOOL' in value) return 'BOOL'
  if ('M' in value) return 'M'
  if ('L' in value) return 'L'
  if ('NULL' in value) return 'NULL'
  if ('SS' in value) return 'SS'
  if ('NS' in value) return 'NS'
  if ('B' in value) return 'B'
  return 'BS'
}

/** An attribute by its name, and never what every JavaScript object inherits. */
export function attributeOf(row: Row, name: string): Value | undefined {
  return Object.hasOwn(row, name) ? row[name] : undefined
}

export function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

/** Reads a row or the fields of a map from a request, numbers in their one spelling. */
export function readRow(json: unknown): Row {
  if (!isObject(json)) throw invalid('A map of attribute values was expected')
  const row: Record<string, Value> = {}
  for (const name in json) {
    if (name === '__proto__') throw invalid('The simulated DynamoDB cannot store an attribute of the name __proto__')
    row[name] = readValue(json[name])
  }
  return row
}

export function readValue(json: unknown): Value {
  if (!isObject(json)) throw emptyValue()
  let type: string | undefined
  for (const key in json) {
    if (type !== undefined) {
      throw invalid(
        'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes',
      )
    }
    type = key
  }
  if (type === undefined) throw emptyValue()
  return readTyped(type, json[type])
}

function readTyped(type: string, content: unknown): Value {
  switch (type) {
    case 'S':
      return { S: text(content) }
    case 'N':
      return { N: canonicalNumber(text(content)) }
    case 'BOOL':
      if (typeof content !== 'boolean') throw emptyValue()
      return { BOOL: content }
    case 'M':
      return { M: readRow(content) }
    case 'L':
      if (!Array.isArray(content)) throw emptyValue()
      return { L: content.map(readValue) }
    case 'NULL':
      if (content !== true) throw invalidParameter('Null attribute value types must have the value of true')
      return { NULL: true }
    case 'SS':
      return { SS: members(content, text) }
    case 'NS':
      return { NS: members(content, (member) => canonicalNumber(text(member))) }
    case 'B':
      return { B: text(content) }
    case 'BS':
      return { BS: members(content, text) }
    default:
      throw emptyValue()
  }
}

function emptyValue() {
  return invalid('Supplied AttributeValue is empty, must contain exactly one of the supported datatypes')
}

function text(json: unknown): string {
  if (typeof json !== 'string') throw emptyValue()
  return json
}

function members(content: unknown, read: (member: unknown) => string): readonly string[] {
  if (!Array.isArray(content)) throw emptyValue()
  if (content.length === 0) throw invalidParameter('An string set  may not be empty')
  const list = content.map(read)
  if (new Set(list).size !== list.length) throw invalidParameter(`Input collection ${show(list)} contains duplicates.`)
  return list
}

function show(list: readonly string[]): string {
  return `[${list.join(', ')}]`
}

export function equal(a: Value, b: Value): boolean {
  if ('S' in a) return 'S' in b && a.S === b.S
  if ('N' in a) return 'N' in b && a.N === b.N // both in their one spelling
  if ('BOOL' in a) return 'BOOL' in b && a.BOOL === b.BOOL
  if ('NULL' in a) return 'NULL' in b
  if ('B' in a) return 'B' in b && a.B === b.B
  if ('L' in a) return 'L' in b && a.L.length === b.L.length && a.L.every((item, at) => isSame(item, b.L[at]))
  if ('M' in a) return 'M' in b && equalRows(a.M, b.M)
  const [left, right] = [membersOf(a), membersOf(b)]
  if (typeOf(a) !== typeOf(b) || left === undefined || right === undefined) return false
  return left.length === right.length && left.every((member) => right.includes(member))
}

function equalRows(a: Row, b: Row): boolean {
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length && names.every((name) => isSame(attributeOf(a, name), attributeOf(b, name)))
  )
}

function isSame(a: Value | undefined, b: Value | undefined): boolean {
  return a !== undefined && b !== undefined && equal(a, b)
}

/** What `<`, BETWEEN and sorting go by; undefined where the two have no order between them. */
export function compare(a: Value, b: Value): number | undefined {
  if ('S' in a) return 'S' in b ? compareTexts(a.S, b.S) : undefined
  if ('N' in a) return 'N' in b ? compareNumbers(a.N, b.N) : undefined
  if ('B' in a) return 'B' in b ? Buffer.compare(bytes(a.B), bytes(b.B)) : undefined
  return undefined
}

const BEYOND_UTF16_ORDER = /[\ud800-\udfff]/

/** In the order of UTF-8, which differs from JavaScript's where a text has characters beyond the first 65,536. */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0
  if (BEYOND_UTF16_ORDER.test(a) || BEYOND_UTF16_ORDER.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return a < b ? -1 : 1
}

function bytes(base64: string): Buffer {
  return Buffer.from(base64, 'base64')
}

/** The members of a set; undefined for any other value. */
export function membersOf(value: Value): readonly string[] | undefined {
  if ('SS' in value) return value.SS
  if ('NS' in value) return value.NS
  if ('BS' in value) return value.BS
  return undefined
}

/** A set of the same type with other members. */
export function setOf(type: SetType, list: readonly string[]): Value {
  if (type === 'SS') return { SS: list }
  return type === 'NS' ? { NS: list } : { BS: list }
}

/** What the function size() gives; undefined where it has no meaning. */
export function sizeOf(value: Value): number | undefined {
  if ('S' in value) return Buffer.byteLength(value.S)
  if ('B' in value) return bytes(value.B).length
  if ('L' in value) return value.L.length
  if ('M' in value) return Object.keys(value.M).length
  return membersOf(value)?.length
}

export function contains(value: Value, part: Value): boolean {
  if ('S' in value) return 'S' in part && value.S.includes(part.S)
  if ('L' in value) return value.L.some((item) => equal(item, part))
  if ('SS' in value) return 'S' in part && value.SS.includes(part.S)
  if ('NS' in value) return 'N' in part && value.NS.includes(part.N)
  if ('BS' in value) return 'B' in part && value.BS.includes(part.B)
  if ('B' in value) return 'B' in part && bytes(value.B).includes(bytes(part.B))
  return false
}

export function beginsWith(value: Value, start: Value): boolean {
  if ('S' in value) return 'S' in start && value.S.startsWith(start.S)
  if ('B' in value && 'B' in start) {
    const wanted = bytes(start.B)
    return bytes(value.B).subarray(0, wanted.length).equals(wanted)
  }
  return false
}
