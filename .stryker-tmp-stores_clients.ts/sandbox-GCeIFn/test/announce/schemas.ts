/**
 * The published schemas, closed: the announcer must send nothing that they do not name, but receivers must accept it.
 */
// @ts-nocheck

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'

const FILE = join(import.meta.dirname, '../../docs/events/events.schema.json')
const published: { readonly $defs: Readonly<Record<string, object>> } = JSON.parse(readFileSync(FILE, 'utf8'))

/** By the names of events; other definitions begin with a small letter. */
export const schemas = new Map(Object.entries(published.$defs).filter(([name]) => /^[A-Z]/.test(name)))

const ajv = new Ajv2020({ allErrors: true })
ajv.addSchema(closed(published), 'events')

/** What is wrong with a detail, or undefined. */
export function problemsOf(name: string | undefined, detail: unknown): string | undefined {
  const validate = ajv.getSchema(`events#/$defs/${name}`)
  if (validate === undefined) return `there is no schema of ${name}`
  return validate(detail) ? undefined : ajv.errorsText(validate.errors)
}

/** What every event has, `common`, stays open. */
function closed(schema: object): object {
  return JSON.parse(JSON.stringify(schema), (key, value) =>
    value?.type === 'object' && key !== 'common' ? { ...value, unevaluatedProperties: false } : value,
  )
}
