// @ts-nocheck
import middy from '@middy/core'
import { type LeaderHandler, leaderOnly } from 'tenure'

export const handler: LeaderHandler = middy()
  .use(leaderOnly()) // the last middleware
  .handler(async (_event, { lease }) => {
    // Runs in the leader alone. Once a newer leader has written the row, DynamoDB refuses this write.
    await lease.send({ TableName: process.env.REPORTS_TABLE, Item: { id: lease.tick, total: 42 } })
  })
