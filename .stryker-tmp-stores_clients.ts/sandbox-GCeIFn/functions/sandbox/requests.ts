/** Parses requests to the sandbox. Pure. */
// @ts-nocheck

import * as v from 'valibot'

export class InvalidRequest extends Error {
  override readonly name = 'InvalidRequest'
  readonly param: string
  readonly code: string

  constructor(param: string, code: string) {
    super(param)
    this.param = param
    this.code = code
  }
}

const text = v.pipe(v.string(), v.nonEmpty())
const wholeNumber = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number), v.minValue(least), v.maxValue(most))

const orderSchema = v.object({
  amount: wholeNumber(1),
  currency: v.pipe(v.string(), v.regex(/^[a-z]{3}$/)),
  ...{ customer: text, payment_method: text },
  // The sandbox knows only immediate payments without the customer present.
  ...{ confirm: v.literal('true'), off_session: v.literal('true') },
  ...{ 'metadata[plan]': text, 'metadata[period]': text, 'metadata[dunned]': wholeNumber(0) },
})
const METADATA = /^metadata\[(\w+)\]$/

const searchSchema = v.object({
  customer: text,
  limit: v.optional(wholeNumber(1, 100), '10'),
  'created[gte]': v.optional(wholeNumber(0), '0'),
  starting_after: v.optional(text),
})

/** @throws InvalidRequest */
function read<Value>(schema: v.GenericSchema<unknown, Value>, given: Readonly<Record<string, string>>): Value {
  const { success, output, issues } = v.safeParse(schema, given)
  if (success) return output
  const param = String(issues[0].path?.[0]?.key)
  throw new InvalidRequest(param, given[param] ? 'parameter_invalid' : 'parameter_missing')
}

/** @param form an `application/x-www-form-urlencoded` body @throws InvalidRequest */
export function readOrder(form: string) {
  const given = Object.fromEntries(new URLSearchParams(form))
  const order = read(orderSchema, given)
  const { 'metadata[plan]': plan, 'metadata[period]': period, 'metadata[dunned]': dunned } = order
  const metadata = Object.entries(given).flatMap(([param, value]) => {
    const [, name] = METADATA.exec(param) ?? []
    return name === undefined ? [] : [[name, value] as const]
  })
  return { ...order, plan, period, dunned, metadata: Object.fromEntries(metadata) }
}

/** @throws InvalidRequest */
export const readSearch = (query: Readonly<Record<string, string>>) => read(searchSchema, query)

export type Order = ReturnType<typeof readOrder>
