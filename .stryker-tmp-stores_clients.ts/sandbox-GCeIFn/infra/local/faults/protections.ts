/**
 * The protections that a local run can switch off, to show what each is for. The deployed code is unchanged: fence and
 * key are removed from requests on the wire, the lease by a misconfiguration, separate lease names.
 */
// @ts-nocheck

import { randomUUID } from 'node:crypto'
import type { Interceptor } from '../lambda-host/interceptor.ts'
import type { Candidate } from '../stack/schedules.ts'

export const PROTECTIONS = ['lease', 'fence', 'key'] as const
export type Protection = (typeof PROTECTIONS)[number]

export const HOW_SWITCHED_OFF: Readonly<Record<Protection, string>> = {
  lease: 'the lease (each candidate has a lease of its own)',
  fence: 'the fence (its condition is made always true on the wire)',
  key: 'the idempotency key (each request gets a new one on the wire)',
}

export function withoutLease({ lambda, ...candidate }: Candidate, number: number): Candidate {
  const LEASE_NAME = `${lambda.environment['LEASE_NAME'] ?? 'lease'}-${number}`
  return { ...candidate, lambda: { ...lambda, environment: { ...lambda.environment, LEASE_NAME } } }
}

/** The condition of `functions/election/fencing.ts` on a row that a tenure has written; billing transacts nothing. */
const FENCE = /(#tenureFence <=|#tenureStep\.fencingToken <) :tenureFence/g
/** True for every row, with all placeholders still used, as DynamoDB demands. */
const NO_FENCE = '(attribute_exists(#tenureFence) OR $&)'

export const withoutFence: Interceptor = ({ service, body }, forward) => {
  const { ConditionExpression: condition } = body
  if (service !== 'dynamodb' || typeof condition !== 'string' || condition.search(FENCE) === -1) return forward()
  return forward({ ...body, ConditionExpression: condition.replaceAll(FENCE, NO_FENCE) })
}

export const withoutKey: Interceptor = ({ service, body }, forward) => {
  const { method, headers, body: form } = body
  if (service !== 'lambda' || method !== 'POST' || typeof form !== 'string') return forward()
  const key = randomUUID()
  const fields = new URLSearchParams(form)
  fields.set('metadata[charge]', key)
  return forward({ ...body, headers: { ...Object(headers), 'idempotency-key': key }, body: fields.toString() })
}
