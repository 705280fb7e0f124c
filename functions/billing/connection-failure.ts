/** Why a `fetch` failed, and whether another try may succeed. */
import { property } from '../election/json.ts'

/**
 * Sources: https://nodejs.org/api/errors.html#common-system-errors and, for the codes of `fetch`,
 * https://github.com/nodejs/undici/blob/main/docs/docs/api/Errors.md
 */
const TRANSIENT: ReadonlySet<unknown> = new Set([
  ...'ECONNABORTED ECONNREFUSED ECONNRESET EAI_AGAIN EHOSTUNREACH ENETDOWN ENETUNREACH EPIPE ETIMEDOUT'.split(' '),
  ...'UND_ERR_CONNECT_TIMEOUT UND_ERR_SOCKET'.split(' '),
])

/** By error code. Source: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const PERMANENT: readonly (readonly [code: RegExp, description: string])[] = [
  [/^ENOTFOUND$/, 'the host name does not exist'],
  [/CERT|SIGNATURE|CRL|^ERR_TLS|^(INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH)$/, 'its certificate was not accepted'],
  [/^ERR_SSL|^EPROTO$/, 'the TLS handshake failed'],
  [/^HPE_|^UND_ERR_(HEADERS_OVERFLOW|RES_|INFO)/, 'the answer is not valid HTTP'],
  [/^Z_|^ERR__/, 'its answer could not be decompressed'],
  [/^ERR_INVALID_URL$/, 'its URL is not valid'],
]

/**
 * `isTransient`: the connection broke, or could not be made this time; any other failure would be repeated by another
 * try. `description` is for the end of a sentence.
 */
export function connectionFailureOf(error: unknown) {
  const cause = property(error, 'cause') ?? error
  const code = property(cause, 'code')
  if (TRANSIENT.has(code)) return { isTransient: true, description: `the connection failed (${code})` }
  if (typeof code === 'string') {
    const [, description = 'the request failed'] = PERMANENT.find(([form]) => form.test(code)) ?? []
    return permanent(`${description} (${code})`)
  }
  if (property(cause, 'name') === 'HTTPParserError') return permanent('the answer is not HTTP')
  // For example a scheme or a port that `fetch` refuses.
  const reason = cause instanceof Error ? cause.message : 'no reason given'
  return permanent(`the request could not be sent (${reason.slice(0, 100)})`)
}

const permanent = (description: string) => ({ isTransient: false, description: `${description}; is the URL right?` })
