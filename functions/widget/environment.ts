/** What the console is told by its environment variables, checked when it loads. */
export interface ConsoleEnvironment {
  /** `LEASE_TABLE` */
  readonly leaseTable: string
}

/** @throws RangeError that names what is missing */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): ConsoleEnvironment {
  const leaseTable = variables['LEASE_TABLE']?.trim() ?? ''
  if (leaseTable === '') throw new RangeError("The console's environment is wrong: LEASE_TABLE is not set")
  return { leaseTable }
}
