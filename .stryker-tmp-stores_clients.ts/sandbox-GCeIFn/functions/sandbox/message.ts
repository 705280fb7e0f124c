/** HTTP requests and responses as plain data, which can also be the event and the result of a Lambda function. */
// @ts-nocheck

import * as v from 'valibot'

/** Names of headers are in lower case. */
const texts = v.pipe(v.record(v.string(), v.string()), v.readonly())

export const gatewayRequest = v.object({
  method: v.picklist(['GET', 'POST']),
  path: v.string(),
  query: v.exactOptional(texts),
  headers: texts,
  body: v.exactOptional(v.string()),
})
export type GatewayRequest = Readonly<v.InferOutput<typeof gatewayRequest>>

export const gatewayResponse = v.object({ statusCode: v.number(), headers: texts, body: v.string() })
export type GatewayResponse = Readonly<v.InferOutput<typeof gatewayResponse>>
