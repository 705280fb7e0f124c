// @ts-nocheck
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { convertToAttr, unmarshall } from '@aws-sdk/util-dynamodb'
import { isVersion } from '../checkpoint.ts'
import { CorruptLeaseError } from '../errors.ts'
import { type Checkpoint, ENDED_BY, type EndedBy, type LeaseRecord } from '../rules.ts'
import { quoted } from '../show.ts'
import { isCanonicalTick } from '../tick.ts'

export type AttributeMap = Record<string, AttributeValue>

/** The sort key of the lease itself. */
export const LEASE_RECORD = 'LEASE'

/** The sort key of a history row is this prefix and the fencing token. */
export const TENURE_PREFIX = 'TENURE#'

/**
 * Reads a lease row as DynamoDB sends it.
 * @throws CorruptLeaseError which names the attribute that this protocol cannot have written
 */
export function readRow(row: AttributeMap, lease: string): LeaseRecord {
  const corrupt = (attribute: string, expected: string, cause?: unknown) =>
    new CorruptLeaseError(
      `The row of lease "${lease}" is damaged: attribute "${attribute}" should be ${expected}, ` +
        `but is ${showAttribute(row[attribute])}. ` +
        `Repair that attribute of the row { lease: "${lease}", record: "${LEASE_RECORD}" }. ` +
        'Do not delete the row: the ticks that are done would be forgotten.',
      { lease, attribute, cause },
    )
  const text = (attribute: string): string => {
    const value = row[attribute]?.S
    if (typeof value !== 'string') throw corrupt(attribute, 'a string')
    return value
  }
  const whole = (attribute: string): number => {
    const number = wholeOf(row[attribute])
    if (number === undefined || Number.isNaN(number)) throw corrupt(attribute, 'a whole number')
    return number
  }
  const tick = (attribute: string): string => {
    const value = text(attribute)
    if (!isCanonicalTick(value)) throw corrupt(attribute, 'a tick like 2026-11-21T06:00:00.000Z')
    return value
  }
  const endedBy = (attribute: string): EndedBy => {
    const value = text(attribute)
    const known = ENDED_BY.find((end) => end === value)
    if (known === undefined) throw corrupt(attribute, `one of ${ENDED_BY.join(', ')}`)
    return known
  }
  const checkpoint = (): Checkpoint | undefined => {
    const value = row['checkpoint']
    if (value === undefined) return undefined
    const fields = value.M
    const saved = fields?.['tick']
    if (fields?.['state'] === undefined || (saved !== undefined && !isCanonicalTick(saved.S ?? ''))) {
      throw corrupt('checkpoint', 'a map of a tick and a state')
    }
    const [version, continuations, sinceMs] = ['version', 'continuations', 'sinceMs'].map((name) =>
      wholeOf(fields[name]),
    )
    if (version !== undefined && !isVersion(version)) {
      throw corrupt('checkpoint', 'a map whose version is a whole number from 1')
    }
    if (Number.isNaN(continuations) || Number.isNaN(sinceMs)) {
      throw corrupt('checkpoint', 'a map whose continuations and sinceMs are whole numbers')
    }
    try {
      const { state } = unmarshall({ state: fields['state'] })
      return { state, ...defined({ tick: saved?.S, version, continuations, sinceMs }) }
    } catch (cause) {
      throw corrupt('checkpoint', 'a map whose numbers JavaScript can hold', cause)
    }
  }
  const plain = (attribute: string): unknown => {
    try {
      return unmarshall({ value: Object(row[attribute]) })['value']
    } catch (cause) {
      throw corrupt(attribute, 'a value whose numbers JavaScript can hold', cause)
    }
  }
  const optional = <T>(read: (attribute: string) => T, attribute: string): T | undefined =>
    row[attribute] === undefined ? undefined : read(attribute)

  return defined({
    lease,
    fencingToken: whole('fencingToken'),
    holder: optional(text, 'holder'),
    attempt: text('attempt'),
    eventId: optional(text, 'eventId'),
    acquiredAtMs: whole('acquiredAtMs'),
    expiresAtMs: whole('expiresAtMs'),
    writtenAtMs: whole('writtenAtMs'),
    step: whole('step'),
    tick: optional(tick, 'tick'),
    firstTick: optional(tick, 'firstTick'),
    completedTick: optional(tick, 'completedTick'),
    completedBy: optional(whole, 'completedBy'),
    gaveUp: optional(text, 'gaveUp'),
    checkpoint: checkpoint(),
    endedBy: optional(endedBy, 'endedBy'),
    errorName: optional(text, 'errorName'),
    pausedFromMs: optional(whole, 'pausedFromMs'),
    pausedUntilMs: optional(whole, 'pausedUntilMs'),
    reservedFor: optional(text, 'reservedFor'),
    reservedUntilMs: optional(whole, 'reservedUntilMs'),
    reservedBy: optional(whole, 'reservedBy'),
    announcement: optional(plain, 'announcement'),
    announcedBy: optional(whole, 'announcedBy'),
    transferTo: optional(text, 'transferTo'),
    transferUntilMs: optional(whole, 'transferUntilMs'),
    transferBy: optional(whole, 'transferBy'),
  })
}

/** NaN if it is there, but no whole number. */
function wholeOf(value: AttributeValue | undefined): number | undefined {
  if (value === undefined) return undefined
  const number = typeof value.N === 'string' ? Number(value.N) : Number.NaN
  return Number.isSafeInteger(number) && number >= 0 ? number : Number.NaN
}

function showAttribute(value: AttributeValue | undefined): string {
  if (value === undefined) return 'missing'
  if (typeof value.S === 'string') return quoted(value.S, 40)
  if (typeof value.N === 'string') return `the number ${value.N.slice(0, 40)}`
  return `of type ${Object.keys(value).join().slice(0, 40)}` // a checkpoint may contain secrets
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** Without undefined properties: an absent attribute is not a key without a value. */
function defined<T extends object>(fields: T): Defined<T>
function defined(fields: object): object {
  const present: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) present[name] = value
  return present
}

/** As the SDK's marshaller, which takes longer for texts and numbers. */
export function attributesOf(values: Readonly<Record<string, unknown>>): AttributeMap {
  const attributes: AttributeMap = {}
  for (const name in values) attributes[name] = attributeOf(values[name])
  return attributes
}

function attributeOf(value: unknown): AttributeValue {
  if (typeof value === 'string') return { S: value }
  return Number.isSafeInteger(value) ? { N: String(value) } : convertToAttr(value)
}
