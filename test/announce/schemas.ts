/**
 * The published schemas, closed: the announcer must send nothing that they do not name, but receivers must accept it.
 */
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'

const DIRECTORY = join(import.meta.dirname, '../../docs/events')

export const schemas: ReadonlyMap<string, object> = new Map(
  globSync('*.schema.json', { cwd: DIRECTORY }).map((file) => [
    basename(file, '.schema.json'),
    JSON.parse(readFileSync(join(DIRECTORY, file), 'utf8')),
  ]),
)

const ajv = new Ajv2020({ allErrors: true })
const validators = new Map([...schemas].map(([name, schema]) => [name, ajv.compile(closed(schema))]))

/** What is wrong with a detail, or undefined. */
export function problemsOf(name: string | undefined, detail: unknown): string | undefined {
  const validate = validators.get(name ?? '')
  if (validate === undefined) return `there is no schema of ${name}`
  return validate(detail) ? undefined : ajv.errorsText(validate.errors)
}

function closed(schema: object): object {
  return JSON.parse(JSON.stringify(schema), (_key, value) =>
    value?.type === 'object' ? { ...value, additionalProperties: false } : value,
  )
}
