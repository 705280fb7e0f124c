import { DynamoDBClient } from '@aws-sdk/client-dynamodb'

/** What comes over the wire in answer to one request; `undefined` is a lost connection. */
export type WireAnswer =
  | { readonly status: number; readonly body: Uint8Array | object; readonly date?: string }
  | undefined

export interface AnsweringClient {
  readonly client: DynamoDBClient
  /** The bodies of all requests so far. */
  readonly requests: readonly Readonly<Record<string, unknown>>[]
}

const ENCODER = new TextEncoder()
const DECODER = new TextDecoder()

/** An error in DynamoDB's protocol. */
export function errorAnswer(type: string, fields: object = {}, status = 400): WireAnswer {
  return { status, body: { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: type, ...fields } }
}

/** The SDK's own client, which gets these answers and then repeats the last one; by default an empty success. */
export function answeringClient(...answers: readonly WireAnswer[]): AnsweringClient {
  return retryingClient(1, ...answers)
}

/** As {@link answeringClient}, for a client that tries each request so often. */
export function retryingClient(maxAttempts: number, ...answers: readonly WireAnswer[]): AnsweringClient {
  const requests: Readonly<Record<string, unknown>>[] = []
  const last: WireAnswer = answers.length === 0 ? { status: 200, body: {} } : answers.at(-1)
  const client = new DynamoDBClient({
    region: 'eu-central-1',
    endpoint: 'http://dynamodb.nowhere',
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    signer: { sign: async <Request>(request: Request) => request },
    maxAttempts,
    requestHandler: {
      metadata: { handlerProtocol: 'http/1.1' },
      async handle({ body }: { readonly body?: unknown }) {
        const answer = requests.length < answers.length ? answers[requests.length] : last
        requests.push(JSON.parse(body instanceof Uint8Array ? DECODER.decode(body) : String(body)))
        if (answer === undefined) throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
        const date = answer.date === undefined ? {} : { date: answer.date }
        const headers = { 'content-type': 'application/x-amz-json-1.0', ...date }
        const bytes = answer.body instanceof Uint8Array ? answer.body : ENCODER.encode(JSON.stringify(answer.body))
        return { response: { statusCode: answer.status, headers, body: bytes } }
      },
    },
  })
  return { client, requests }
}
