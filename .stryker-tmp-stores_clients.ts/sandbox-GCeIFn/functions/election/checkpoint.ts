/** The option `checkpoint`: a schema for the states of a task, and the version of the task that saved them. */
// @ts-nocheck

import { CheckpointError, type CheckpointIssue } from './errors.ts'
import { pathText } from './plain-data.ts'

/** Any schema of https://standardschema.dev: of Zod, Valibot, ArkType or another library, or written by hand. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

/** What a schema found: the output, or issues. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
      }[]
    }

/** How the states of a task are checked when they are saved and read. */
export interface CheckpointOptions<State = unknown> {
  /** A whole number from 1, saved with each state. Raise it when states of before would be misread. */
  readonly version: number
  /**
   * Checks each state before it is saved and when it is read; the task sees the schema's output. What is saved is the
   * state itself, so the schema must accept its own output.
   */
  readonly schema: StandardSchema<State>
  /**
   * Makes of a state that was saved with an older version, or with none, one for the schema. If it returns undefined,
   * the state is discarded, and its tick starts afresh.
   * @default such a state is refused with a CheckpointError
   */
  readonly migrate?: (state: unknown, version: number | undefined) => unknown
}

/** What the option must be, for messages. */
export const CHECKPOINT_RULE =
  '{ version, schema, migrate }: a whole number from 1, a schema of standardschema.dev (as of Zod or Valibot) ' +
  'and, if you like, a function'

export function isCheckpointOptions(value: unknown): boolean {
  const { version, schema, migrate, ...others }: Record<string, unknown> = { ...Object(value) }
  return (
    isVersion(version) &&
    isSchema(schema) &&
    (migrate === undefined || typeof migrate === 'function') &&
    Object.keys(others).length === 0
  )
}

export function isVersion(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 1
}

/** Some libraries make functions of their schemas. */
function isSchema(value: unknown): boolean {
  const { version, validate }: Record<string, unknown> = Object(Object(value)['~standard'])
  return version === 1 && typeof validate === 'function'
}

interface Saved {
  readonly state: unknown
  readonly version?: number | undefined
}

/**
 * The schema's output for a saved state; undefined if `migrate` discards it.
 * @throws CheckpointError, without the state's content
 */
export async function readState<State>(
  { version, schema, migrate }: CheckpointOptions<State>,
  { state, version: savedVersion }: Saved,
  lease: string,
): Promise<State | undefined> {
  const savedWith = savedVersion === undefined ? 'without a version' : `with version ${savedVersion}`
  const refused: Refused = (why, more) =>
    new CheckpointError(`The checkpoint of lease "${lease}" was saved ${savedWith}${why} The checkpoint is kept.`, {
      lease,
      savedVersion,
      ...more,
    })
  if (savedVersion === version) {
    const giveUp = 'To give it up, raise the version and return undefined from migrate.'
    return await checked(schema, state, (why, more) => refused(`, but ${why} ${giveUp}`, more))
  }
  if (savedVersion !== undefined && savedVersion > version) {
    throw refused(`, but this task reads version ${version}. Deploy the newer task again.`)
  }
  if (migrate === undefined) {
    throw refused(
      `, but this task reads version ${version}. Give the option checkpoint a function migrate: it returns the state ` +
        `as version ${version}, or undefined to start the tick afresh.`,
    )
  }
  let migrated: unknown
  try {
    migrated = await migrate(state, savedVersion)
  } catch (cause) {
    throw refused(', but the function migrate threw an error: see the cause.', { cause })
  }
  if (migrated === undefined) return undefined
  return await checked(schema, migrated, (why, more) => refused(`, but what migrate returned ${why}`, more))
}

/**
 * The schema's output for a state that is to be saved.
 * @throws CheckpointError, without the state's content
 */
export async function checkedState<State>(
  { schema }: CheckpointOptions<State>,
  state: unknown,
  lease: string,
): Promise<State> {
  return await checked(
    schema,
    state,
    (why, more) =>
      new CheckpointError(`The state that lease "${lease}" is to save ${why} Nothing was saved.`, { lease, ...more }),
  )
}

type Refused = (why: string, more?: { issues?: readonly CheckpointIssue[]; cause?: unknown }) => CheckpointError

const MOST_PATHS = 10

async function checked<State>(schema: StandardSchema<State>, state: unknown, refused: Refused): Promise<State> {
  let issues: readonly CheckpointIssue[]
  try {
    const result = await schema['~standard'].validate(state)
    if (result.issues === undefined) return result.value
    issues = result.issues.map(({ message, path = [] }) => ({
      message: String(message),
      path: pathText(path.map(key)),
    }))
  } catch (cause) {
    throw refused('cannot be checked, because the schema threw an error: see the cause.', { cause })
  }
  const paths = [...new Set(issues.map(({ path }) => path))]
  const more = paths.length > MOST_PATHS ? ` and ${paths.length - MOST_PATHS} other places` : ''
  const places = paths.slice(0, MOST_PATHS).join(', ') + more
  throw refused(`does not fit the schema at ${places}: see the error's issues.`, { issues })
}

function key(step: PropertyKey | { readonly key: PropertyKey }): string | number {
  const name = typeof step === 'object' ? step.key : step
  return typeof name === 'number' ? name : String(name)
}
