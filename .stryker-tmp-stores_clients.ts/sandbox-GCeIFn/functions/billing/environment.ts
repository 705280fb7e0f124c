// @ts-nocheck
import { EnvironmentReader, type Variables } from '../election/environment.ts'

/** Where charges go: `GATEWAY_FUNCTION`, or `GATEWAY_URL` with `GATEWAY_SECRET`. */
export type GatewayAddress =
  | { readonly kind: 'sandbox'; readonly functionName: string }
  /** `secretId`: name or ARN of the secret that holds the API key. */
  | { readonly kind: 'https'; readonly url: string; readonly secretId: string }

/** The billing function's own environment variables; `leaderOnly` reads the lease's. @throws EnvironmentError */
export function readEnvironment(variables: Variables) {
  const reader = new EnvironmentReader('the billing function', variables)
  const environment = {
    leaseTable: reader.required('LEASE_TABLE'),
    subscriptionsTable: reader.required('SUBSCRIPTIONS_TABLE'),
    chargesTable: reader.required('CHARGES_TABLE'),
    gateway: readGateway(reader),
  }
  reader.check()
  return environment
}

function readGateway(reader: EnvironmentReader): GatewayAddress {
  const functionName = reader.optional('GATEWAY_FUNCTION')
  const url = reader.optional('GATEWAY_URL')
  if (functionName !== undefined) {
    // A guess could charge real money in a test, or fake money in production.
    if (url !== undefined || reader.optional('GATEWAY_SECRET') !== undefined) {
      reader.problem(
        'GATEWAY_FUNCTION (the sandbox) is set together with GATEWAY_URL or GATEWAY_SECRET; set one of the two',
      )
    }
    return { kind: 'sandbox', functionName }
  }
  if (url === undefined) {
    reader.problem('neither GATEWAY_FUNCTION nor GATEWAY_URL is set')
    return { kind: 'https', url: '', secretId: '' }
  }
  if (!isGatewayUrl(url)) reader.problem(`GATEWAY_URL is ${shownUrl(url)}; give ${GATEWAY_URL_FORM}`)
  return { kind: 'https', url, secretId: reader.required('GATEWAY_SECRET') }
}

/** What {@link isGatewayUrl} accepts, for the end of a sentence. */
export const GATEWAY_URL_FORM =
  'an https:// URL without user, query and fragment (http:// only for 127.0.0.1 or localhost)'

/** Charges and the API key must be encrypted, except within this machine. */
export function isGatewayUrl(text: string): boolean {
  if (!URL.canParse(text) || /\s/.test(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  // Paths are appended to it.
  if (username !== '' || password !== '' || /[?#]/.test(text)) return false
  return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost'].includes(hostname))
}

/**
 * The URL for messages, unless it may contain an API key: Stripe's examples for curl give the key as the URL's user,
 * others put it into the query, and some forget the scheme.
 */
export function shownUrl(text: string): string {
  return /[_@?#]/.test(text) ? 'one that is not shown, as it may hold a key' : `"${text.slice(0, 200)}"`
}
