/** The announcer as it is shipped, with DynamoDB and EventBridge in memory. */
import { type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import type { DynamoDBRecord } from 'aws-lambda'
import { type Announcer, announcer } from '../../functions/announce/announce.ts'
import { publishTo } from '../../functions/announce/events.ts'
import { type History, historyTable } from '../../functions/announce/history.ts'
import { simulatedClient } from '../support/simulated-client.ts'
import { createLeaseTable } from '../support/tables.ts'
import { type BusFault, memoryBus } from './bus.ts'

export type TableFault = 'lost' | 'dropped'

export interface Faults {
  readonly bus?: () => BusFault | undefined
  readonly table?: () => TableFault | undefined
  /** @default that of the table */
  readonly history?: History
}

export const HISTORY_DAYS = 30

export async function setScene({ bus: busFault, table: tableFault, history }: Faults = {}, client = simulatedClient()) {
  const table = await createLeaseTable(client)
  const operations: string[] = []
  withoutProjections(client)
  if (tableFault !== undefined) injectFaults(client, tableFault)
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) => {
        operations.push(commandName)
        return next(args)
      },
    { step: 'initialize' },
  )
  const bus = memoryBus(busFault)
  const measured: { readonly lease: string; readonly name: string; readonly value: number; readonly atMs: number }[] =
    []
  const logged: { readonly level: string; readonly message: string; readonly fields: object }[] = []
  const announce = announcer({
    history: history ?? historyTable(DynamoDBDocumentClient.from(client), table, HISTORY_DAYS),
    publish: publishTo(bus.client, 'tenure-bus'),
    measure: (lease, measurements, { atMs = 0 } = {}) =>
      measured.push(...measurements.map(({ name, value }) => ({ lease, name, value, atMs }))),
    log: {
      warn: (message, fields) => logged.push({ level: 'warn', message, fields }),
      error: (message, fields) => logged.push({ level: 'error', message, fields }),
    },
  })
  return {
    announce,
    deliver: (records: readonly DynamoDBRecord[]) => announce({ Records: [...records] }),
    rows: () => rowsOf(client, table),
    bus,
    measured,
    logged,
    operations,
  }
}

export type Row = Readonly<Record<string, unknown>>

/** All rows of the table, by `lease/fencing token`; what does not come in an order in one. */
async function rowsOf(client: DynamoDBClient, TableName: string): Promise<ReadonlyMap<string, Row>> {
  const { Items = [] } = await client.send(new ScanCommand({ TableName }))
  const rows = Items.map((item) => unmarshall(item))
  return new Map(
    rows
      .map(({ lease, record, announced, ...row }): [string, Row] => {
        if (typeof record !== 'string' || !/^TENURE#\d{16}$/.test(record))
          throw new Error(`the row ${record} is none of the history`)
        const key = `${lease}/${Number(record.slice('TENURE#'.length))}`
        return [key, { ...row, ...(announced === undefined ? {} : { announced: [...announced].toSorted() }) }]
      })
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** The simulated DynamoDB answers with whole rows; that DynamoDB itself takes the projection is tested in history.test.ts. */
function withoutProjections(client: DynamoDBClient): void {
  client.middlewareStack.add(
    (next) => (args) => {
      if (!('ProjectionExpression' in args.input)) return next(args)
      const {
        ProjectionExpression: _projection,
        ExpressionAttributeNames: _names,
        ...input
      } = { ExpressionAttributeNames: {}, ...args.input }
      return next({ ...args, input: { ...input, TableName: args.input.TableName } })
    },
    { step: 'initialize', priority: 'low' },
  )
}

function injectFaults(client: DynamoDBClient, next: () => TableFault | undefined): void {
  client.middlewareStack.add(
    (send) => async (args) => {
      const fault = next()
      if (fault === 'dropped') throw new Error('the request was dropped')
      const output = await send(args)
      if (fault === 'lost') throw new Error('the reply was lost')
      return output
    },
    { step: 'initialize' },
  )
}

/**
 * Delivers as Lambda does: in batches, and after a failure again from the record that the response names. Ends when
 * everything was taken.
 */
export async function deliverAll(
  announce: Announcer,
  records: readonly DynamoDBRecord[],
  batchSize: number,
): Promise<void> {
  let tries = 0
  for (let at = 0; at < records.length; ) {
    if (tries++ > 100) throw new Error('the announcer does not get on')
    const Records = records.slice(at, at + batchSize)
    const { batchItemFailures } = await announce({ Records })
    const [failed] = batchItemFailures
    const index = Records.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === failed?.itemIdentifier)
    if (failed !== undefined && index < 0) throw new Error(`no record has the number ${failed.itemIdentifier}`)
    at += failed === undefined ? Records.length : index
  }
}
