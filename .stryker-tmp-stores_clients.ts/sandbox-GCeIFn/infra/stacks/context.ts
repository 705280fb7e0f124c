/** Reads context values: `cdk.json` gives JSON values, `cdk synth -c key=value` gives texts. */
// @ts-nocheck

import type { IConstruct } from 'constructs'
import * as v from 'valibot'
import { show } from '../../functions/election/show.ts'
import { ConfigurationError } from '../constructs/index.ts'

const digits = v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number))
const list = v.pipe(
  v.string(),
  v.transform((text) => text.split(',').map((name) => name.trim())),
)
const flag = v.pipe(
  v.picklist(['true', 'false']),
  v.transform((text) => text === 'true'),
)

/** Each with what is expected. A list of names can also be a text such as `A,B`. */
export const CONTEXT = {
  number: { schema: v.union([v.pipe(v.number(), v.safeInteger(), v.minValue(0)), digits]), expected: 'a whole number' },
  text: { schema: v.string(), expected: 'a text' },
  names: { schema: v.union([v.array(v.string()), list]), expected: 'names, as in A,B' },
  flag: { schema: v.union([v.boolean(), flag]), expected: 'true or false' },
}

interface Reader<Value> {
  readonly schema: v.GenericSchema<unknown, Value>
  readonly expected: string
}

/** @throws ConfigurationError for a value of another kind */
export function fromContext<Value>(scope: IConstruct, key: string, reader: Reader<Value>): Value | undefined {
  const given: unknown = scope.node.tryGetContext(key)
  if (given === undefined) return undefined
  const { success, output } = v.safeParse(reader.schema, given)
  if (success) return output
  throw new ConfigurationError(scope, [`the context value \`${key}\` is ${show(given)}; give ${reader.expected}`])
}
