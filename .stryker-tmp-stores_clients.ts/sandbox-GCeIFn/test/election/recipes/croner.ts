// @ts-nocheck
import { Cron } from 'croner'
import { withLease } from '../../../functions/election/index.ts'

async function remind(job: Cron) {
  const [slot = new Date()] = job.previousRuns(1, new Date(Date.now() + 1)) // the one that is due now
  await withLease({ lease: 'reminders', tick: slot }, async (lease) => {
    await lease.send({ TableName: 'Reminders', Item: { slot: lease.tick } })
  })
}

export const start = (pattern = '0 9 * * MON-FRI') =>
  new Cron(pattern, { timezone: 'Europe/Berlin', catch: console.error }, remind)
