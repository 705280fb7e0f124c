/** The published schemas, closed: what they do not name must not leave the announcer, though receivers must bear it. */
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'

const DIRECTORY = join(import.meta.dirname, '../../docs/events')

export const schemas: ReadonlyMap<string, object> = new Map(
  globSync('*.schema.json', { cwd: DIRECTORY }).map((file) => [
    basename(file, '.schema.json'),
    JSON.parse(readFileSync(join(DIRECTORY, file), 'utf8')),
  ]),
)

const ajv = new Ajv2020({ allErrors: true })
const validators: ReadonlyMap<string, ValidateFunction> = new Map(
  [...schemas].map(([name, schema]) => [name, ajv.compile(closed(schema))]),
)

/** What is wrong with a detail; undefined for nothing. */
export function problemsOf(name: string, detail: unknown): string | undefined {
  const validate = validators.get(name)
  if (validate === undefined) return `there is no schema of ${name}`
  return validate(detail) ? undefined : ajv.errorsText(validate.errors)
}

function closed(schema: object): object {
  const text = JSON.stringify(schema)
  return JSON.parse(text, (_key, value) =>
    value?.type === 'object' ? { ...value, additionalProperties: false } : value,
  )
}
