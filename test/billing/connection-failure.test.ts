import { describe, expect, test } from 'vitest'
import { connectionFailureOf } from '../../functions/billing/connection-failure.ts'

/** As `fetch` throws it. */
const failed = (code: string) => new TypeError('fetch failed', { cause: Object.assign(new Error('why'), { code }) })

describe('another try may help', () => {
  test.each(['ECONNRESET', 'EPIPE', 'ECONNREFUSED', 'EAI_AGAIN', 'UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT'])(
    'after %s, which is a connection that failed',
    (code) => {
      expect(connectionFailureOf(failed(code))).toEqual({ isPassing: true, words: `the connection failed (${code})` })
    },
  )
})

describe('another try cannot help', () => {
  test.each([
    ['ENOTFOUND', 'there is no host of that name'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate was not accepted'],
    ['CERT_HAS_EXPIRED', 'its certificate was not accepted'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'its certificate was not accepted'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate was not accepted'],
    ['EPROTO', 'it does not speak TLS as asked'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'it does not speak TLS as asked'],
    ['UND_ERR_HEADERS_OVERFLOW', 'what answered does not speak HTTP as it should'],
    ['ERR_NEW_AND_UNKNOWN', 'the request failed'],
  ])('after %s, and the words say what is wrong', (code, words) => {
    const said = `${words} (${code}); is the URL right?`
    expect(connectionFailureOf(failed(code))).toEqual({ isPassing: false, words: said })
  })

  test.each([undefined, 'text', new Error('bad'), { cause: null }, new TypeError('x', { cause: 7 })])(
    'after %s, of which nothing more is known',
    (thrown) => {
      expect(connectionFailureOf(thrown)).toMatchObject({ isPassing: false })
    },
  )
})
