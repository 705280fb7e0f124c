/** What the check for overdue ticks reads. */
import { DescribeTableCommand, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { CorruptLeaseError } from '../election/errors.ts'
import { LEASE_RECORD } from '../election/stores/row.ts'
import { isCanonicalTick } from '../election/tick.ts'

export interface LeaseProgress {
  /** The highest tick that was completed, epoch ms; before the first one, when the table was made. */
  lastDoneMs(lease: string): Promise<number>
}

export function leaseProgress(client: Pick<DynamoDBClient, 'send'>, TableName: string): LeaseProgress {
  let createdAtMs: number | undefined

  async function tableCreatedAtMs(): Promise<number> {
    if (createdAtMs !== undefined) return createdAtMs
    const { Table } = await client.send(new DescribeTableCommand({ TableName }))
    if (Table?.CreationDateTime === undefined)
      throw new Error(`DynamoDB does not say when table "${TableName}" was made`)
    createdAtMs = Table.CreationDateTime.getTime()
    return createdAtMs
  }

  return {
    async lastDoneMs(lease) {
      const Key = { lease: { S: lease }, record: { S: LEASE_RECORD } }
      const command = new GetItemCommand({ TableName, Key, ProjectionExpression: 'completedTick' })
      const { Item } = await client.send(command)
      const completedTick = Item?.['completedTick']
      if (completedTick === undefined) return await tableCreatedAtMs()
      const tick = completedTick.S ?? ''
      if (isCanonicalTick(tick)) return Date.parse(tick)
      throw new CorruptLeaseError(
        `The row of lease "${lease}" is damaged: attribute "completedTick" should be a tick like 2026-11-21T06:00:00.000Z. Repair it by hand; do not delete the row.`,
        { lease, attribute: 'completedTick' },
      )
    },
  }
}
