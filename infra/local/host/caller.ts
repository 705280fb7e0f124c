/**
 * Which execution environment sent a request: each has a session token of its own, which the SDK sends with every request
 * that it signs. The access key is one for all: a DynamoDB Local without -sharedDb keeps a database for each key.
 */
export const ACCESS_KEY = 'local'

/** `serial` counts environments from 1. */
export const sessionTokenOf = (serial: number): string => `local${String(serial).padStart(4, '0')}`

/** The serial of the environment that sent a request with these headers; undefined where none of ours did. */
export function senderOf(headers: Readonly<Record<string, string>>): number | undefined {
  const [, serial] = /^local(\d+)$/.exec(headers['x-amz-security-token'] ?? '') ?? []
  return serial === undefined ? undefined : Number(serial)
}
