/** What a failed `fetch` says of the way to the gateway: in words what is wrong, and whether another try may help. */
import { property } from '../election/json.ts'

export interface ConnectionFailure {
  /** The connection broke, or was not made this time. Anything else fails again in the same way. */
  readonly isPassing: boolean
  /** For the end of a sentence. */
  readonly words: string
}

/**
 * Sources: https://nodejs.org/api/errors.html#common-system-errors and, for those of `fetch` itself,
 * https://github.com/nodejs/undici/blob/main/docs/docs/api/Errors.md
 */
const PASSING: ReadonlySet<unknown> = new Set([
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
])

/** By their codes. Source: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const PERMANENT: readonly (readonly [code: RegExp, words: string])[] = [
  [/^ENOTFOUND$/, 'there is no host of that name'],
  [/CERT|SIGNATURE|CRL|^ERR_TLS|^(INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH)$/, 'its certificate was not accepted'],
  [/^ERR_SSL|^EPROTO$/, 'it does not speak TLS as asked'],
  [/^HPE_|^UND_ERR_(HEADERS_OVERFLOW|RES_|INFO)/, 'what answered does not speak HTTP as it should'],
  [/^Z_|^ERR__/, 'its answer could not be unpacked'],
  [/^ERR_INVALID_URL$/, 'its URL is not valid'],
]

export function connectionFailureOf(error: unknown): ConnectionFailure {
  const cause = property(error, 'cause') ?? error
  const code = property(cause, 'code')
  if (PASSING.has(code)) return { isPassing: true, words: `the connection failed (${code})` }
  if (typeof code === 'string') {
    const [, words = 'the request failed'] = PERMANENT.find(([form]) => form.test(code)) ?? []
    return { isPassing: false, words: `${words} (${code}); is the URL right?` }
  }
  if (property(cause, 'name') === 'HTTPParserError') {
    return { isPassing: false, words: 'what answered does not speak HTTP; is the URL right?' }
  }
  // Such as a scheme or a port that `fetch` never asks.
  const reason = cause instanceof Error ? cause.message : 'no reason given'
  return { isPassing: false, words: `the request could not be sent (${reason.slice(0, 100)}); is the URL right?` }
}
