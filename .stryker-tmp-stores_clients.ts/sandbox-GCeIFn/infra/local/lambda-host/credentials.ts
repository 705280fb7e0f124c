/**
 * The AWS credentials of a request identify the execution environment that sent it: the access key is a secret of the
 * run, the same for all; the session token is the environment's own.
 */
// @ts-nocheck

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

type Headers = Readonly<Record<string, string>>

/** 128 random bits. DynamoDB Local accepts only letters and digits. */
export const newAccessKey = (): string => `local${randomBytes(16).toString('hex')}`

export function isSecret(given: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(secret))
}

export const sessionTokenOf = (serial: number): string => `local${String(serial).padStart(4, '0')}`

/** The serial of the environment that sent a request with these headers. */
export function senderOf(headers: Headers): number | undefined {
  const [, serial] = /^local(\d+)$/.exec(headers['x-amz-security-token'] ?? '') ?? []
  return serial === undefined ? undefined : Number(serial)
}

/** Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
const CREDENTIAL = /\bCredential=([^/,\s]+)\/(\d+)\/([^/]+)\//

/** Whether a request names this access key. Its signature is not checked; DynamoDB Local checks none either. */
export const isSignedWith = (accessKey: string, headers: Headers): boolean =>
  isSecret(CREDENTIAL.exec(headers['authorization'] ?? '')?.[1] ?? '', accessKey)

export const UNKNOWN_CALLER =
  'This is a local run, which only answers its own functions. It recognizes them by the credentials in their ' +
  'environment variables: do not give the client any others'

/** The same headers, signed for this Region: DynamoDB Local keeps tables by access key and Region. */
export function signedFor(region: string, headers: Headers): Headers {
  const { authorization } = headers
  if (authorization === undefined) return headers
  return { ...headers, authorization: authorization.replace(CREDENTIAL, `Credential=$1/$2/${region}/`) }
}
