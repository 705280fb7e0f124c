/**
 * Signs a request for DynamoDB. These are our own lines, fewer than a library's options: `@smithy/signature-v4` shares
 * modules with the SDK, so a bundle with both loads a third of the SDK with it (decision 14).
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { builtin } from '../builtin.ts'

export type Variables = Readonly<Record<string, string | undefined>>

interface Unsigned {
  readonly host: string
  readonly operation: string
  readonly body: string
  readonly timeMs: number
  readonly region: string
  /** With the credentials, which are read for each try, as they may be replaced. */
  readonly variables: Variables
}

/** @returns the headers of a POST to the path `/` */
export function signed({ host, operation, body, timeMs, region, variables }: Unsigned): Record<string, string> {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = variables
  const time = new Date(timeMs).toISOString().replace(/[:-]|\.\d+/g, '')
  const scope = [time.slice(0, 8), region, 'dynamodb', 'aws4_request']
  const headers: Record<string, string> = {
    'content-type': 'application/x-amz-json-1.0',
    host,
    'x-amz-date': time,
    ...(token ? { 'x-amz-security-token': token } : {}),
    'x-amz-target': `DynamoDB_20120810.${operation}`,
  }
  const names = Object.keys(headers).join(';') // in the order of the alphabet, as they must be
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}`)
  const request = ['POST', '/', '', ...lines, '', names, sha256(body)].join('\n')
  const signature = hmac(
    keyOf(`AWS4${secret}`, scope),
    ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(request)].join('\n'),
  ).digest('hex')
  const credential = `${id}/${scope.join('/')}`
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`
  return { ...headers, authorization }
}

/** Deriving a key takes longer than the rest of a signature, and it is valid for a day. */
let latest: { readonly source: string; readonly key: Buffer } | undefined

function keyOf(secret: string, scope: readonly string[]): Buffer {
  const source = `${secret},${scope}`
  if (latest?.source !== source) {
    const derived = scope.reduce<string | Buffer>((last, part) => hmac(last, part).digest(), secret)
    latest = { source, key: Buffer.from(derived) }
  }
  return latest.key
}

const sha256 = (text: string) => builtin('node:crypto').hash('sha256', text)
const hmac = (key: string | Buffer, text: string) => builtin('node:crypto').createHmac('sha256', key).update(text)
