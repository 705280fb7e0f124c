/** What the function is told by its environment variables, checked when it loads: a wrong deployment fails at once, not at the first tick. */
export interface Environment {
  readonly leaseTable: string
  readonly leaseName: string
  /** How long a grant of the lease lasts, in milliseconds; undefined leaves the library's default. */
  readonly leaseMs: number | undefined
  readonly subscriptionsTable: string
  readonly chargesTable: string
  readonly gateway: GatewayAddress
}

/** Where charges go: `GATEWAY_FUNCTION`, or `GATEWAY_URL` with `GATEWAY_SECRET`. */
export type GatewayAddress =
  | { readonly kind: 'sandbox'; readonly functionName: string }
  | {
      readonly kind: 'https'
      readonly url: string
      /** The name or ARN of the secret that holds the API key. */
      readonly secretId: string
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

  function optional(name: string): string {
    return variables[name]?.trim() ?? ''
  }

  function required(name: string): string {
    const value = optional(name)
    if (value === '') problems.push(`${name} is not set`)
    return value
  }

  function milliseconds(name: string): number | undefined {
    const value = variables[name]
    if (value === undefined || value === '') return undefined
    const ms = Number(value)
    if (!Number.isSafeInteger(ms) || ms <= 0)
      problems.push(`${name} is "${value.slice(0, 60)}", not a positive number of milliseconds`)
    return ms
  }

  function gatewayAddress(): GatewayAddress {
    const functionName = optional('GATEWAY_FUNCTION')
    const url = optional('GATEWAY_URL')
    if (functionName === '' && url === '') problems.push('neither GATEWAY_FUNCTION nor GATEWAY_URL is set')
    if (functionName !== '') {
      // Whether money is real must not be a matter of which variable is looked at first.
      if (url !== '' || optional('GATEWAY_SECRET') !== '') {
        problems.push('GATEWAY_FUNCTION is set, which is the sandbox, and so is GATEWAY_URL or GATEWAY_SECRET')
      }
      return { kind: 'sandbox', functionName }
    }
    if (url !== '' && !isGatewayUrl(url)) problems.push(`GATEWAY_URL is ${shownUrl(url)}; give ${GATEWAY_URL_FORM}`)
    return { kind: 'https', url, secretId: url === '' ? '' : required('GATEWAY_SECRET') }
  }

  const environment = {
    leaseTable: required('LEASE_TABLE'),
    leaseName: required('LEASE_NAME'),
    leaseMs: milliseconds('LEASE_MS'),
    subscriptionsTable: required('SUBSCRIPTIONS_TABLE'),
    chargesTable: required('CHARGES_TABLE'),
    gateway: gatewayAddress(),
  }
  if (problems.length > 0) throw new EnvironmentError(problems)
  return environment
}

/** What {@link isGatewayUrl} accepts, in words for the end of a sentence. */
export const GATEWAY_URL_FORM =
  'an https:// URL without user, query and fragment (http:// only for 127.0.0.1 or localhost)'

/** A charge and the API key must not travel unencrypted, except inside this machine. */
export function isGatewayUrl(text: string): boolean {
  if (!URL.canParse(text) || /\s/.test(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  // Paths are put behind it.
  if (username !== '' || password !== '' || /[?#]/.test(text)) return false
  return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost'].includes(hostname))
}

/**
 * The URL for messages, unless it may hold a key: curl takes Stripe's as the user of the URL, and so might somebody here;
 * others put keys into the query, or forget the scheme.
 */
export function shownUrl(text: string): string {
  return /[_@?#]/.test(text) ? 'one that is not shown, as it may hold a key' : `"${text.slice(0, 200)}"`
}
