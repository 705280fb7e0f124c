/**
 * The protections that a local run can do without, to show what each is for. Nothing deployed knows of them: they are taken
 * away from what passes on the wire, and the lease by a misconfiguration that people make.
 */
import { randomUUID } from 'node:crypto'
import type { Call, Interceptor } from '../lambda-host/interceptor.ts'
import type { Candidate } from '../stack/schedules.ts'

export const CONTROLS = ['lease', 'fence', 'key'] as const
export type Control = (typeof CONTROLS)[number]

/** In words for the beginning of a run. */
export const HOW_SWITCHED_OFF: Readonly<Record<Control, string>> = {
  lease: 'the lease (each candidate has one of its own)',
  fence: 'the fence (its condition is made always true on the wire)',
  key: 'the key (each request gets another on the wire)',
}

/** Everybody asks for a lease of a name of their own, and gets it. */
export function withoutLease({ lambda, ...candidate }: Candidate, number: number): Candidate {
  const LEASE_NAME = `${lambda.environment['LEASE_NAME'] ?? 'lease'}-${number}`
  return { ...candidate, lambda: { ...lambda, environment: { ...lambda.environment, LEASE_NAME } } }
}

/** What `functions/election/fencing.ts` asks of a row that has seen a token. */
const FENCE = /(#tenureFence <=|#tenureStep\.fencingToken <) :tenureFence/g
/** True of every row, and uses all placeholders, as DynamoDB demands. */
const NO_FENCE = '(attribute_exists(#tenureFence) OR $&)'

/** Lets every write through, whatever token its row has seen; other conditions stay. */
export const withoutFence: Interceptor = (call, forward) =>
  forward(call.service === 'dynamodb' ? unfenced(call.body) : undefined)

type Fields = Readonly<Record<string, unknown>>

/** The same request without its fences, those of a transaction's items too; undefined where it has none. */
function unfenced(body: Fields): Fields | undefined {
  const { ConditionExpression: condition, TransactItems: items } = body
  if (typeof condition === 'string' && condition.search(FENCE) >= 0) {
    return { ...body, ConditionExpression: condition.replaceAll(FENCE, NO_FENCE) }
  }
  if (!Array.isArray(items)) return undefined
  const withoutFences = (item: Fields) =>
    Object.entries(item).map(([action, input]) => [action, isFields(input) ? (unfenced(input) ?? input) : input])
  return { ...body, TransactItems: items.map((item: Fields) => Object.fromEntries(withoutFences(item))) }
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null

/** Asks for every charge under a key that nobody used before. */
export const withoutKey: Interceptor = (call, forward) => forward(withFreshKey(call, randomUUID()))

/** Undefined for what is no request to charge. */
function withFreshKey({ service, body }: Call, key: string): Fields | undefined {
  const { method, headers, body: form } = body
  if (service !== 'lambda' || method !== 'POST' || typeof form !== 'string') return undefined
  const fields = new URLSearchParams(form)
  fields.set('metadata[charge]', key)
  return { ...body, headers: { ...(isFields(headers) && headers), 'idempotency-key': key }, body: fields.toString() }
}

/** The interceptors of what is switched off. The lease is not among them: see {@link withoutLease}. */
export function controlInterceptors(without: readonly Control[]): readonly Interceptor[] {
  return [...(without.includes('fence') ? [withoutFence] : []), ...(without.includes('key') ? [withoutKey] : [])]
}
