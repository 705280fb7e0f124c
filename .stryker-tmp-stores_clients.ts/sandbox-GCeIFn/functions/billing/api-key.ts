/**
 * The payment gateway's API key, from Secrets Manager, as environment variables are visible to all readers of a
 * function's configuration. It is never logged, and no error contains it, not even as a cause.
 */
// @ts-nocheck

import type { SecretsProvider } from '@aws-lambda-powertools/parameters/secrets'
import { SDK_CLIENT } from '../election/stores/sdk-client.ts'

/** @param options.renew the gateway refused the key: read it again, not from the cache. @throws ApiKeyError */
export type ApiKey = (options?: { readonly renew?: boolean }) => Promise<string>

/** There is no API key, so nothing was sent and nothing was charged. */
export class ApiKeyError extends Error {
  override readonly name = 'ApiKeyError'
}

/** How long a key is cached. A rotation is noticed sooner: the gateway refuses the old key. */
const CACHE_S = 300
/** Excludes the placeholder with which the secret is created. */
const KEY_FORM = /^[\w.:~+/=-]+$/

/** @param secretId the secret's name or ARN */
export function secretApiKey(secretId: string): ApiKey {
  let provider: Promise<SecretsProvider> | undefined

  async function read(forceFetch: boolean): Promise<unknown> {
    provider ??= newProvider()
    const secrets = await provider
    try {
      return await secrets.get(secretId, { maxAge: CACHE_S, forceFetch })
    } catch (error) {
      throw new ApiKeyError(
        `The API key could not be read from the secret ${secretId} (${reason(error)}), so nothing was charged`,
      )
    }
  }

  return async ({ renew = false } = {}) => {
    const secret = await read(renew)
    const key = typeof secret === 'string' ? secret.trim() : ''
    // Checked here, as `fetch` quotes an invalid header, with the key, in its error.
    if (KEY_FORM.test(key)) return key
    throw new ApiKeyError(
      `The secret ${secretId} does not hold the API key as plain text, so nothing was charged; ` +
        'put the key there with `aws secretsmanager put-secret-value`',
    )
  }
}

/** Imported on demand, as the sandbox needs no key. Powertools' `getSecret` does the same, but without time-outs. */
async function newProvider(): Promise<SecretsProvider> {
  const { SecretsProvider } = await import('@aws-lambda-powertools/parameters/secrets')
  return new SecretsProvider({ clientConfig: { ...SDK_CLIENT, maxAttempts: 2 } })
}

/** Only the name of the SDK's error, which Powertools wraps. */
function reason(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined
  return cause instanceof Error ? cause.name : 'unknown error'
}
