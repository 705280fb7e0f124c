/** Requests through the AWS SDK: loaded by a store that has a client, and by a leader for its effects. */
import { DynamoDBClient, GetItemCommand, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { DeleteCommand, PutCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { pathsThrough } from './clients.ts'
import { lent, SDK_TIMEOUTS } from './sdk-client.ts'
import type { TransactItem, WriteInput } from './store.ts'
import type { SendToTable, Wire } from './wire.ts'

export type SdkTransport = ReturnType<typeof sdkTransport>

export function sdkTransport(through = lent(new DynamoDBClient({ requestHandler: SDK_TIMEOUTS }))) {
  const { leases, effects, unmarshallOptions } = pathsThrough(through)
  const sendToTable: SendToTable = async (request, wire, abortSignal) => {
    const options = { ...(abortSignal && { abortSignal }) }
    switch (request.operation) {
      case 'UpdateItem':
        return await leases.send(observed(new UpdateItemCommand(request.input), wire), options)
      case 'GetItem':
        return await leases.send(observed(new GetItemCommand(request.input), wire), options)
      case 'Query':
        return await leases.send(observed(new QueryCommand(request.input), wire), options)
    }
  }
  return {
    sendToTable,
    unmarshallOptions,
    /** Sends one Put, Update or Delete of the leader. */
    write: async (input: WriteInput, wire: Wire, showsRow: boolean) => {
      if ('Item' in input) return await effects.send(observed(new PutCommand(input), wire, showsRow))
      if ('UpdateExpression' in input) return await effects.send(observed(new UpdateCommand(input), wire, showsRow))
      return await effects.send(observed(new DeleteCommand(input), wire, showsRow))
    },
    transact: async (TransactItems: TransactItem[], ClientRequestToken: string, wire: Wire, isEnd: boolean) => {
      const command = new TransactWriteCommand({ TransactItems, ClientRequestToken })
      await (isEnd ? leases : effects).send(whenSerialized(observed(command, wire), wire))
    },
  }
}

type Handler = (args: never) => Promise<{ readonly response: unknown }>

type Place<Step> = { step: Step; priority: 'low' | 'high'; name: string; override: true }

/** A command of either client, of any version of the SDK. */
interface Observed {
  readonly middlewareStack: {
    add(middleware: (next: Handler) => Handler, place: Place<'build'>): unknown
    add(middleware: (next: Handler) => Handler, place: Place<'deserialize'>): unknown
  }
}

/** Records in `wire` what happens to each try of the command, inside the SDK's retry loop. */
function observed<C extends Observed>(command: C, wire: Wire, showsRow = false): C {
  command.middlewareStack.add(
    (next) => async (args: never) => {
      wire.trySent()
      const result = await next(args)
      const { statusCode, dateMs } = headOf(result.response)
      wire.headCame(statusCode, dateMs)
      return result
    },
    // A document command adds its middleware twice, for itself and for the command inside it.
    { step: 'deserialize', priority: 'low', name: 'tenureObserveWire', override: true },
  )
  command.middlewareStack.add(
    (next) => async (args: never) =>
      await next(args).catch((error: unknown) => {
        wire.tryFailed(error, { showsRow })
        throw error
      }),
    { step: 'deserialize', priority: 'high', name: 'tenureObserveBody', override: true },
  )
  return command
}

function whenSerialized<C extends Observed>(command: C, wire: Wire): C {
  command.middlewareStack.add(
    (next) => async (args: never) => {
      wire.serialized = true
      return await next(args)
    },
    { step: 'build', priority: 'high', name: 'tenureObserveRequest', override: true },
  )
  return command
}

function headOf(response: unknown): { readonly statusCode: number; readonly dateMs: number } {
  const { statusCode, headers }: Record<string, unknown> = typeof response === 'object' ? { ...response } : {}
  const { date }: Record<string, unknown> = typeof headers === 'object' ? { ...headers } : {}
  return { statusCode: Number(statusCode), dateMs: Date.parse(String(date)) }
}
