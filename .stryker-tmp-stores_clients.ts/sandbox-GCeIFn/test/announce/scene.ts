/** The shipped announcer, with DynamoDB and EventBridge in memory. */
// @ts-nocheck

import { type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import type { DynamoDBRecord } from 'aws-lambda'
import { type Announcer, announcer } from '../../functions/announce/announce.ts'
import { publishTo } from '../../functions/announce/events.ts'
import { historyTable } from '../../functions/announce/history.ts'
import { simulatedClient } from '../../functions/election/testing/dynamodb/client.ts'
import { createLeaseTable } from '../support/tables.ts'

export type TableFault = 'lost' | 'dropped'

interface Faults {
  readonly bus?: () => BusFault | undefined
  readonly table?: () => TableFault | undefined
}

const HISTORY_DAYS = 30

export async function setScene({ bus: busFault, table: tableFault }: Faults = {}) {
  const client = simulatedClient()
  const table = await createLeaseTable(client)
  withoutProjections(client)
  const operations = recordOperations(client, tableFault)
  const bus = memoryBus(busFault)
  const measured: { readonly lease: string; readonly name: string; readonly value: number }[] = []
  const logged: { readonly level: string; readonly message: string; readonly fields: object }[] = []
  const announce = announcer({
    history: historyTable(DynamoDBDocumentClient.from(client), table, HISTORY_DAYS),
    publish: publishTo(bus.client, 'tenure-bus'),
    measure: (lease, measurements) => measured.push(...measurements.map(({ name, value }) => ({ lease, name, value }))),
    log: {
      warn: (message, fields) => logged.push({ level: 'warn', message, fields }),
      error: (message, fields) => logged.push({ level: 'error', message, fields }),
    },
  })
  const deliver = (records: readonly DynamoDBRecord[]) => announce({ Records: [...records] })
  return { announce, deliver, rows: () => rowsOf(client, table), bus, measured, logged, operations }
}

type Row = Readonly<Record<string, unknown>> & { readonly announced?: readonly string[] }

/** All history rows, by `lease/fencing token`; sets as sorted lists. */
async function rowsOf(client: DynamoDBClient, TableName: string): Promise<ReadonlyMap<string, Row>> {
  const { Items = [] } = await client.send(new ScanCommand({ TableName }))
  const entries = Items.map((item): [string, Row] => {
    const { lease, record, announced, ...row } = unmarshall(item)
    const [, token] = /^TENURE#(\d{16})$/.exec(record) ?? []
    if (token === undefined) throw new Error(`the row ${record} is no history row`)
    const ids = announced === undefined ? {} : { announced: [...announced].toSorted() }
    return [`${lease}/${Number(token)}`, { ...row, ...ids }]
  })
  return new Map(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** The simulated DynamoDB returns whole rows; history.test.ts checks that DynamoDB accepts the projection. */
function withoutProjections(client: DynamoDBClient): void {
  client.middlewareStack.add(
    (next) => (args) => {
      if (!('ProjectionExpression' in args.input)) return next(args)
      const input = { ...args.input, ProjectionExpression: undefined, ExpressionAttributeNames: undefined }
      return next({ ...args, input })
    },
    { step: 'initialize', priority: 'low' },
  )
}

/** The names of the announcer's commands, which can fail before or after DynamoDB executes them. */
function recordOperations(client: DynamoDBClient, nextFault: Faults['table']): readonly string[] {
  const operations: string[] = []
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        if (commandName === ScanCommand.name) return next(args)
        operations.push(commandName)
        const fault = nextFault?.()
        if (fault === 'dropped') throw new Error('the request was dropped')
        const output = await next(args)
        if (fault === 'lost') throw new Error('the reply was lost')
        return output
      },
    { step: 'initialize' },
  )
  return operations
}

/** Delivers as Lambda does: in batches, and after a failure again from the record that the response names. */
export async function deliverAll(announce: Announcer, records: readonly DynamoDBRecord[], batchSize: number) {
  let left = records
  for (let tries = 0; left.length > 0; tries++) {
    if (tries > 100) throw new Error('the announcer makes no progress')
    const { batchItemFailures } = await announce({ Records: left.slice(0, batchSize) })
    const failed = batchItemFailures[0]?.itemIdentifier
    const index = left.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === failed)
    if (failed !== undefined && index < 0) throw new Error(`no record has the number ${failed}`)
    left = left.slice(failed === undefined ? batchSize : index)
  }
}

/** An event that the bus accepted. */
export type SentEvent = ReturnType<typeof read>

/** The next request loses its reply, does not arrive, or has entries that are refused. */
export type BusFault = 'lost' | 'dropped' | 'refused'

/** The SDK's client with an EventBridge in memory behind it, which keeps the events that it accepts. */
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
