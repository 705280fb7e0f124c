/** The SDK's own client with an EventBridge in memory behind it, which keeps what it took. */
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'

export interface SentEvent {
  readonly name: string
  readonly bus: string
  readonly atMs: number
  readonly resources: readonly string[]
  readonly detail: Readonly<Record<string, unknown>> & { readonly id: string }
}

/** The next request loses its reply, does not arrive, or has entries that are refused. */
export type BusFault = 'lost' | 'dropped' | 'refused'

interface Entry {
  readonly Source: string
  readonly DetailType: string
  readonly Detail: string
  readonly EventBusName: string
  readonly Time: number
  readonly Resources?: readonly string[]
}

export function memoryBus(nextFault: () => BusFault | undefined = () => undefined) {
  const taken: SentEvent[] = []
  const requests: number[] = []

  function answer(entries: readonly Entry[]): object {
    requests.push(entries.length)
    const fault = nextFault()
    if (fault === 'dropped') throw new Error('the request was dropped')
    const refused = fault === 'refused' ? 1 : 0
    taken.push(...entries.slice(refused).map(read))
    if (fault === 'lost') throw new Error('the reply was lost')
    const failure = { ErrorCode: 'InternalFailure', ErrorMessage: 'an unexpected error occurred' }
    return {
      FailedEntryCount: refused,
      Entries: entries.map((_, index) => (index < refused ? failure : { EventId: `event-${index}` })),
    }
  }

  const client = new EventBridgeClient({
    region: 'eu-central-1',
    endpoint: 'http://events.simulated',
    credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
    maxAttempts: 1,
    signer: { sign: async <Request>(request: Request) => request },
    requestHandler: {
      metadata: { handlerProtocol: 'http/1.1' },
      async handle({ body }: { body?: unknown }) {
        const { Entries } = JSON.parse(body instanceof Uint8Array ? new TextDecoder().decode(body) : String(body))
        const headers = { 'content-type': 'application/x-amz-json-1.1' }
        return {
          response: { statusCode: 200, headers, body: new TextEncoder().encode(JSON.stringify(answer(Entries))) },
        }
      },
    },
  })
  return { client, taken, requests }
}

function read({ Source, DetailType, Detail, EventBusName, Time, Resources = [] }: Entry): SentEvent {
  if (Source !== 'tenure') throw new Error(`the source is ${Source}`)
  const atMs = Math.round(Time * 1000)
  return { name: DetailType, bus: EventBusName, atMs, resources: Resources, detail: JSON.parse(Detail) }
}
