/** What the sandbox is told by its environment variables, checked when it loads. */
export interface SandboxEnvironment {
  /** `SANDBOX_TABLE` */
  readonly tableName: string
  /** `KEY_WINDOW_MS` */
  readonly keyWindowMs: number | undefined
  /** `LATE_MS` */
  readonly lateMs: number | undefined
}

/** @throws RangeError that names what is missing or wrong */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): SandboxEnvironment {
  const tableName = variables['SANDBOX_TABLE']?.trim() ?? ''
  if (tableName === '') throw new RangeError("The sandbox's environment is wrong: SANDBOX_TABLE is not set")
  const keyWindowMs = milliseconds(variables, 'KEY_WINDOW_MS')
  return { tableName, keyWindowMs, lateMs: milliseconds(variables, 'LATE_MS') }
}

function milliseconds(variables: Readonly<Record<string, string | undefined>>, name: string): number | undefined {
  const value = variables[name] ?? ''
  if (value === '') return undefined
  const ms = Number(value)
  if (Number.isSafeInteger(ms) && ms > 0) return ms
  throw new RangeError(
    `The sandbox's environment is wrong: ${name} is "${value.slice(0, 60)}", not a positive number of milliseconds`,
  )
}
