/**
 * The real gateway's API key, from Secrets Manager and nowhere else: environment variables can be read by whoever may look
 * at the function. It is in no error, not even in a cause, and in no log.
 */
import type { SecretsProvider } from '@aws-lambda-powertools/parameters/secrets'

/** `renew`: what was given last was refused; look again, past any cache. @throws ApiKeyError */
export type ApiKey = (options?: { readonly renew?: boolean }) => Promise<string>

/** There is no key to send, so nothing was sent and nothing charged. */
export class ApiKeyError extends Error {
  override readonly name = 'ApiKeyError'
}

/** So long a key is used before it is looked up again; that it was rotated is noticed sooner, by the gateway's refusal. */
const CACHE_S = 300
/** Anything else, above all the placeholder that the secret is created with, would only be refused. */
const KEY_FORM = /^[\w.:~+/=-]+$/

/** @param secretId its name or ARN */
export function secretApiKey(secretId: string): ApiKey {
  let provider: Promise<SecretsProvider> | undefined

  async function read(forceFetch: boolean): Promise<unknown> {
    provider ??= newProvider()
    const secrets = await provider
    try {
      return await secrets.get(secretId, { maxAge: CACHE_S, forceFetch })
    } catch (error) {
      throw new ApiKeyError(
        `The gateway's API key could not be read from the secret ${secretId} (${reason(error)}), so nothing was charged`,
      )
    }
  }

  return async ({ renew = false } = {}) => {
    const secret = await read(renew)
    const key = typeof secret === 'string' ? secret.trim() : ''
    // Checked here: `fetch` would quote a header that cannot be sent, key and all, in its error.
    if (KEY_FORM.test(key)) return key
    throw new ApiKeyError(
      `The secret ${secretId} does not hold the gateway's API key as plain text, so nothing was charged; put the key there with \`aws secretsmanager put-secret-value\``,
    )
  }
}

/** Loaded where it is used: the sandbox needs no key. Powertools' `getSecret` does the same, but without time-outs. */
async function newProvider(): Promise<SecretsProvider> {
  const { SecretsProvider } = await import('@aws-lambda-powertools/parameters/secrets')
  return new SecretsProvider({
    clientConfig: {
      maxAttempts: 2,
      requestHandler: { connectionTimeout: 1000, requestTimeout: 2000, throwOnRequestTimeout: true },
    },
  })
}

/** The name alone of what the SDK threw, which Powertools wraps. */
function reason(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined
  return cause instanceof Error ? cause.name : 'unknown error'
}
