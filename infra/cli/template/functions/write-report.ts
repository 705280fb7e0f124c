import middy from '@middy/core'
import { leaderOnly } from 'tenure'

export const handler = middy()
  .use(leaderOnly()) // the last middleware
  .handler(async (_event, { lease }) => {
    await lease.send({ TableName: process.env.REPORTS_TABLE, Item: { id: lease.tick, total: 42 } })
  })
