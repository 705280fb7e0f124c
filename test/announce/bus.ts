/** The SDK's client with an EventBridge in memory behind it, which keeps the events that it accepts. */
import { EventBridgeClient, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge'

export type SentEvent = ReturnType<typeof read>

/** The next request loses its reply, does not arrive, or has entries that are refused. */
export type BusFault = 'lost' | 'dropped' | 'refused'

export function memoryBus(nextFault: () => BusFault | undefined = () => undefined) {
  const accepted: SentEvent[] = []
  const requests: number[] = []

  function answer(entries: readonly PutEventsRequestEntry[]): object {
    requests.push(entries.length)
    const fault = nextFault()
    if (fault === 'dropped') throw new Error('the request was dropped')
    const refused = fault === 'refused' ? 1 : 0
    accepted.push(...entries.slice(refused).map(read))
    if (fault === 'lost') throw new Error('the reply was lost')
    const failure = { ErrorCode: 'InternalFailure', ErrorMessage: 'an unexpected error occurred' }
    const results = entries.map((_, index) => (index < refused ? failure : { EventId: `event-${index}` }))
    return { FailedEntryCount: refused, Entries: results }
  }

  const client = new EventBridgeClient({ region: 'eu-central-1' })
  client.middlewareStack.add(
    () =>
      async ({ input }) => {
        const Entries = 'Entries' in input ? input.Entries : undefined
        return { response: {}, output: Object.assign({ $metadata: {} }, answer(Entries ?? [])) }
      },
    { step: 'initialize' },
  )
  return { client, accepted, requests }
}

function read({ Source, DetailType, Detail = '', EventBusName, Time, Resources }: PutEventsRequestEntry) {
  if (Source !== 'tenure') throw new Error(`the source is ${Source}`)
  const detail: Readonly<Record<string, unknown>> & { readonly id: string } = JSON.parse(Detail)
  return { name: DetailType, bus: EventBusName, atMs: Time?.getTime(), resources: Resources, detail }
}
