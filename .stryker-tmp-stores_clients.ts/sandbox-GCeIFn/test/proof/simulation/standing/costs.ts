// @ts-nocheck
import '../globals.ts' // before modules that keep a clock
import { DynamoDBLeaseStore, Election } from '../../../../functions/election/index.ts'
import { enter } from '../globals.ts'
import { SimulatedProcess, Timeline } from '../process.ts'
import { textOf } from '../records.ts'
import { Network, TABLE } from './network.ts'
import { LEASE, START_MS, settingOf } from './setting.ts'

const MONTH_MS = 30 * 86_400_000
/** On demand, us-east-1, November 2026: USD for a million units. */
const USD = { read: 0.125, write: 0.625 }

/** Requests, units and USD of one standby in a month, beside so many candidates: as they are by default. */
export async function costOfStandby(candidates: number, { warmUpMs = 40_000, forMs = 60_000 } = {}) {
  const timeline = new Timeline(START_MS)
  const requests: Record<string, number> = {}
  let units = { read: 0, write: 0 }
  const network = new Network({ ...settingOf(1), lossPerMille: 0 }, timeline, ({ name }, operation, body) => {
    if (timeline.nowMs < START_MS + warmUpMs || name === leader) return
    requests[operation] = (requests[operation] ?? 0) + 1
    const bytes = JSON.stringify(body).length / JSON_FACTOR
    if (operation === 'UpdateItem') units.write++
    else units = { ...units, read: units.read + Math.ceil(Math.max(1, bytes) / 4_096) / 2 }
  })
  let leader: string | undefined
  for (let nth = 0; nth < candidates; nth++) {
    const process = new SimulatedProcess(`server-${nth}`, timeline, 1, 0)
    const { clock, name } = process
    const store = new DynamoDBLeaseStore({ tableName: TABLE, client: network.clientOf(process), clock })
    const election = new Election({ store, clock, lease: LEASE, candidate: name })
    timeline.after(Math.floor((nth * 30_000) / candidates), process, async () => {
      for await (const lease of election.campaign()) {
        leader = name
        await clock.sleep(1e12, lease.signal)
      }
    })
  }
  let isOver = false
  timeline.after(warmUpMs + forMs, undefined, () => {
    isOver = true
  })
  enter(timeline)
  try {
    await timeline.run(() => !isOver)
  } finally {
    enter(undefined)
  }
  const perMonth = (count: number) => (count / (candidates - 1)) * (MONTH_MS / forMs)
  const counts = Object.fromEntries(Object.entries(requests).map(([name, count]) => [name, perMonth(count)]))
  const [reads, writes] = [perMonth(units.read), perMonth(units.write)]
  const usd = (reads * USD.read + writes * USD.write) / 1e6
  const row = textOf(network.database.row(TABLE, { lease: { S: LEASE }, record: { S: 'LEASE' } })?.['holder'])
  return { candidates, holder: row, ...counts, reads, writes, usd }
}

/** By how much JSON is longer than what DynamoDB counts: type letters, quotes and braces. */
const JSON_FACTOR = 1.6
