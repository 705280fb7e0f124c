/**
 * Which execution environment sent a request, by the credentials in its environment, which the SDK signs with: the
 * access key is the run's secret, one for all; the session token is its own.
 */
import { isSecret, newSecret } from './loopback-guard.ts'

/** DynamoDB Local takes letters and digits alone. */
export const newAccessKey = (): string => `local${newSecret()}`

/** `serial` counts environments from 1. */
export const sessionTokenOf = (serial: number): string => `local${String(serial).padStart(4, '0')}`

type Headers = Readonly<Record<string, string>>

/** The serial of the environment that sent a request with these headers; undefined if none of ours did. */
export function senderOf(headers: Headers): number | undefined {
  const [, serial] = /^local(\d+)$/.exec(headers['x-amz-security-token'] ?? '') ?? []
  return serial === undefined ? undefined : Number(serial)
}

/** Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
const CREDENTIAL = /\bCredential=([^/,\s]+)\/(\d+)\/([^/]+)\//

/** Whether a request is signed with this access key. The signature is not checked, as DynamoDB Local checks none. */
export const isSignedWith = (accessKey: string, headers: Headers): boolean =>
  isSecret(CREDENTIAL.exec(headers['authorization'] ?? '')?.[1] ?? '', accessKey)

/** What a request without that key is told. */
export const UNKNOWN_CALLER =
  'This is a local run, which answers the functions that it runs itself. It knows them by the credentials in their ' +
  'environment variables: give the client no others'

/** The same headers signed for this Region: DynamoDB Local keeps tables by access key and Region. */
export function signedFor(region: string, headers: Headers): Headers {
  const { authorization } = headers
  if (authorization === undefined) return headers
  return { ...headers, authorization: authorization.replace(CREDENTIAL, `Credential=$1/$2/${region}/`) }
}
