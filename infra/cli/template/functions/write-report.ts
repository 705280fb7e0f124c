import middy from '@middy/core'
import { type Lease, leaderOnly } from 'tenure'

/** Runs in the leader alone. Once a newer leader has written the row, DynamoDB refuses this write. */
export async function writeReport(lease: Pick<Lease, 'send' | 'tick'>) {
  await lease.send({ TableName: process.env.REPORTS_TABLE, Item: { id: lease.tick, total: 42 } })
}

export const handler = middy()
  .use(leaderOnly()) // the last middleware
  .handler((_event, { lease }) => writeReport(lease))
