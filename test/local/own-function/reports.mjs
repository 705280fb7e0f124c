/** A handler as a user writes it who has their own idea of what to return: nothing. It fails the first time in each tick. */
import { DynamoDBLeaseStore, withLease } from 'tenure'

const store = new DynamoDBLeaseStore({ tableName: process.env.LEASE_TABLE })
const lease = process.env.LEASE_NAME

export async function handler({ tick }, context) {
  await withLease({ store, lease, tick, context }, async (leader) => {
    const TableName = process.env.REPORTS
    const { sent } = await leader.claim({ TableName, Key: { day: tick } })
    if (!sent) {
      await leader.send({
        TableName,
        Key: { day: tick },
        UpdateExpression: 'SET sent = :yes',
        ExpressionAttributeValues: { ':yes': true },
      })
      failAtFirst(tick)
    }
  })
}

function failAtFirst(tick) {
  throw new TypeError(`The first report of ${tick} is lost`)
}
