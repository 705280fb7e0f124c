import type { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'

/**
 * How the functions' clients of the SDK wait: it would wait for an answer without limit unless told to throw, and a renewal
 * that hangs would outlive its lease.
 */
export const SDK_CLIENT = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1000, requestTimeout: 2000, throwOnRequestTimeout: true },
}

/** Told by its name: the class may be that of another copy of the SDK, from which the client came. */
export function isConditionFailure(error: unknown): error is ConditionalCheckFailedException {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException'
}
