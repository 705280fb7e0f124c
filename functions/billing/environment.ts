/** What the function is told by its environment variables, checked when it loads: a wrong deployment fails at once, not at the first tick. */
export interface Environment {
  readonly leaseTable: string
  readonly leaseName: string
  /** How long a grant of the lease lasts, in milliseconds; undefined leaves the library's default. */
  readonly leaseMs: number | undefined
  readonly subscriptionsTable: string
  readonly chargesTable: string
  readonly gatewayUrl: string
}

/** Environment variables are missing or wrong; the message names every one of them. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError'

  constructor(problems: readonly string[]) {
    super(`The billing function's environment is wrong: ${problems.join('; ')}`)
  }
}

/** @throws EnvironmentError */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  const problems: string[] = []

  function required(name: string): string {
    const value = variables[name]?.trim() ?? ''
    if (value === '') problems.push(`${name} is not set`)
    return value
  }

  function milliseconds(name: string): number | undefined {
    const value = variables[name]
    if (value === undefined || value === '') return undefined
    const ms = Number(value)
    if (!Number.isSafeInteger(ms) || ms <= 0)
      problems.push(`${name} is "${value}", not a positive number of milliseconds`)
    return ms
  }

  function httpUrl(name: string): string {
    const value = required(name)
    const protocol = URL.canParse(value) ? new URL(value).protocol : ''
    if (value !== '' && protocol !== 'https:' && protocol !== 'http:') {
      problems.push(`${name} is "${value}", not a URL that starts with https:// or http://`)
    }
    return value
  }

  const environment = {
    leaseTable: required('LEASE_TABLE'),
    leaseName: required('LEASE_NAME'),
    leaseMs: milliseconds('LEASE_MS'),
    subscriptionsTable: required('SUBSCRIPTIONS_TABLE'),
    chargesTable: required('CHARGES_TABLE'),
    gatewayUrl: httpUrl('GATEWAY_URL'),
  }
  if (problems.length > 0) throw new EnvironmentError(problems)
  return environment
}
