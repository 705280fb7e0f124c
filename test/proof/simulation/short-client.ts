/**
 * The SDK's client by a short cut. The SDK's own layers take most of the time of a history, and do the same for every
 * request; so most histories go without them, and each 32nd has them all (history.ts). What the shipped code gets from
 * this client, and when, is to the byte what it gets from the real one: whole histories are compared in a test.
 */
import {
  type AttributeValue,
  ConditionCheck$,
  Delete$,
  DeleteItemInput$,
  DynamoDBClient,
  GetItemInput$,
  Put$,
  PutItemInput$,
  QueryInput$,
  TransactWriteItemsInput$,
  Update$,
  UpdateItemCommand,
  UpdateItemInput$,
} from '@aws-sdk/client-dynamodb'
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import { wholeClient } from './dynamodb-client.ts'
import { isObject } from './exchange.ts'
import { aborted, Retries } from './retries.ts'
import { sdkError } from './sdk-error.ts'
import { type Call, differenceOfTurns, type Turns, type Way } from './sdk-turns.ts'
import { LEASES } from './tenure.ts'
import type { Reply, Wire } from './wire.ts'

type Fields = Readonly<Record<string, unknown>>
type Schema = typeof UpdateItemInput$

/** A document client is made from one, which nobody asks anything. */
const UNASKED = new DynamoDBClient({ region: 'eu-central-1', credentials: { accessKeyId: '', secretAccessKey: '' } })

export function shortClient(wire: Wire): DynamoDBDocumentClient {
  return clientOf(wire, delays)
}

/** With that many turns more than it takes itself. */
function clientOf(wire: Pick<Wire, 'send'>, delaysOf: (call: Call) => Turns): DynamoDBDocumentClient {
  // Requests on lease rows have a budget of their own: functions/election/stores/clients.ts.
  const retries = { leases: new Retries(), effects: new Retries() }
  const used = new Set<Way>()
  const send = async (command: unknown, { abortSignal }: { readonly abortSignal?: unknown } = {}): Promise<object> => {
    const signal = abortSignal instanceof AbortSignal ? abortSignal : undefined
    const { operation, body } = requestOf(command)
    const isDocument = !(command instanceof UpdateItemCommand)
    const way = wayOf(command)
    const call = { way, isDocument, used: new Set(used), hasSignal: signal !== undefined }
    used.add(way)
    await turns(delaysOf({ ...call, fails: false }).before)
    crypto.randomUUID() // the SDK draws an id for each call
    if (signal?.aborted) throw aborted()
    const tries = withLayersOf(command, () => wire.send(operation, body, signal))
    const budget = way === 'leases' ? retries.leases : retries.effects
    const answer = await budget.call(tries, signal).catch(async (error: unknown) => {
      await turns(delaysOf({ ...call, fails: true }).after)
      throw error
    })
    await turns(delaysOf({ ...call, fails: false }).after)
    return isDocument ? documentOf(answer) : answer
  }
  return Object.defineProperty(DynamoDBDocumentClient.from(UNASKED), 'send', { value: send })
}

/** The store marks the commands that it sends on a path with a way of their own to be resolved. */
function wayOf(command: unknown): Way {
  if (command instanceof UpdateItemCommand) return 'leases'
  if (!isObject(command) || !Object.hasOwn(command, 'resolveMiddleware')) return 'lent'
  const [first] = command instanceof TransactWriteCommand ? (command.input.TransactItems ?? []) : []
  return first?.Update?.TableName === LEASES ? 'leases' : 'effects'
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await undefined
}

/** What all commands have in common. */
interface Layered {
  readonly middlewareStack: { clone(): Stack }
}

type Handler = (args: object) => Promise<object>

interface Stack {
  add(middleware: (next: Handler) => Handler, options: { step: 'deserialize'; name: string }): void
  resolve(handler: Handler, context: object): Handler
}

function isLayered(command: unknown): command is Layered {
  return isObject(command) && isObject(command['middlewareStack'])
}

/** One try, with what the shipped code has put around each try of this command, as observeWire does. */
function withLayersOf(command: unknown, ask: () => Promise<Reply>): () => Promise<object> {
  let reply: Reply | undefined
  const answered = async () => {
    reply = await ask()
    const headers = { date: new Date(reply.dateMs).toUTCString() }
    return { response: { statusCode: reply.status, headers }, output: { $metadata: {} } }
  }
  if (!isLayered(command)) throw new Error('A command without layers')
  let output: object | undefined
  const stack = command.middlewareStack.clone()
  // Where the SDK reads the answer: inside what looks at errors, outside what looks at the wire.
  stack.add(
    (next) => async (args) => {
      const result = await next(args)
      if (reply === undefined) throw new Error('A layer kept the request for itself')
      output = outputOf(reply)
      return result
    },
    { step: 'deserialize', name: 'shortDeserializer' },
  )
  const layers = stack.resolve(answered, {})
  return async () => {
    await layers({ input: {} })
    if (output === undefined) throw new Error('A layer kept the answer for itself')
    return output
  }
}

function outputOf({ status, body }: Reply): object {
  if (status !== 200) throw sdkError(status, body)
  return body
}

/** Which request a command makes; its fields in the SDK's order. */
function requestOf(command: unknown): { readonly operation: string; readonly body: Fields } {
  const one = (operation: string, schema: Schema, input: Fields) => ({ operation, body: inOrder(schema, input) })
  if (command instanceof UpdateItemCommand) return one('UpdateItem', UpdateItemInput$, { ...command.input })
  if (command instanceof UpdateCommand) return one('UpdateItem', UpdateItemInput$, marshalled(command.input))
  if (command instanceof PutCommand) return one('PutItem', PutItemInput$, marshalled(command.input))
  if (command instanceof DeleteCommand) return one('DeleteItem', DeleteItemInput$, marshalled(command.input))
  if (command instanceof GetCommand) return one('GetItem', GetItemInput$, marshalled(command.input))
  if (command instanceof QueryCommand) return one('Query', QueryInput$, marshalled(command.input))
  if (!(command instanceof TransactWriteCommand)) throw new Error('A command that the short client was not taught')
  const { TransactItems = [], ClientRequestToken = crypto.randomUUID(), ...rest } = command.input
  const items = TransactItems.map(({ ConditionCheck, Put, Delete, Update }) => ({
    ConditionCheck: ConditionCheck && inOrder(ConditionCheck$, marshalled(ConditionCheck)),
    Put: Put && inOrder(Put$, marshalled(Put)),
    Delete: Delete && inOrder(Delete$, marshalled(Delete)),
    Update: Update && inOrder(Update$, marshalled(Update)),
  }))
  return one('TransactWriteItems', TransactWriteItemsInput$, { ...rest, TransactItems: items, ClientRequestToken })
}

function inOrder([, , , , names]: Schema, fields: Fields): Fields {
  const ordered: Record<string, unknown> = {}
  for (const name of names) if (fields[name] !== undefined) ordered[name] = fields[name]
  return ordered
}

const OF_ATTRIBUTES = ['Key', 'Item', 'ExpressionAttributeValues', 'ExclusiveStartKey']

function marshalled(input: object): Fields {
  const fields: Record<string, unknown> = { ...input }
  for (const name of OF_ATTRIBUTES) {
    if (fields[name] !== undefined) fields[name] = marshall(fields[name], { removeUndefinedValues: true })
  }
  return fields
}

function documentOf(output: object): object {
  const fields: Record<string, unknown> = { ...output }
  for (const name of ['Attributes', 'Item', 'LastEvaluatedKey']) {
    const row = fields[name]
    if (isRow(row)) fields[name] = unmarshall(row)
  }
  const { Items } = fields
  if (Array.isArray(Items)) fields['Items'] = Items.filter(isRow).map((row) => unmarshall(row))
  return fields
}

function isRow(value: unknown): value is Record<string, AttributeValue> {
  return isObject(value)
}

// At the end of the file, for it runs all of the above.
const delays = await differenceOfTurns(wholeClient, (wire) => clientOf(wire, () => ({ before: 0, after: 0 })))
