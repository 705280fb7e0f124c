import type { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'

/** How the functions' clients of the SDK wait: unless told to throw, it would wait for an answer without limit. */
export const SDK_CLIENT = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1000, requestTimeout: 2000, throwOnRequestTimeout: true },
}

/** Recognized by its name, since its class may be that of another copy of the SDK. */
export function isConditionFailure(error: unknown): error is ConditionalCheckFailedException {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException'
}
