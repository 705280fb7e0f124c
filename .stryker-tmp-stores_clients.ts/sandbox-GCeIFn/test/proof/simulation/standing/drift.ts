// @ts-nocheck
import '../globals.ts' // before modules that keep a clock
import { DynamoDBLeaseStore, Election } from '../../../../functions/election/index.ts'
import { enter } from '../globals.ts'
import { SimulatedProcess, Timeline } from '../process.ts'
import { Network, TABLE } from './network.ts'
import { LEASE, START_MS, settingOf } from './setting.ts'

const DAY_MS = 86_400_000
const CHECK_MS = 3_600_000
/** Half an hour, so that a month has few renewals. */
const LEASE_MS = 1_800_000
/** How often a candidate looks and writes its row. */
export const LOOK_MS = 600_000
const PER_MILLE = 0.05

/**
 * A month of three servers, whose clocks gain or lose 50 ppm.
 * @param correctsAtMs how far a clock is off when it is set right; never by default
 */
export async function month(days: number, correctsAtMs = Number.POSITIVE_INFINITY) {
  const timeline = new Timeline(START_MS)
  const network = new Network({ ...settingOf(1), lossPerMille: 0 }, timeline, () => undefined)
  const processes = ['ann', 'ben', 'cyd'].map((name) => new SimulatedProcess(name, timeline, 1, 0))
  const tenures: string[] = []
  let leaders = 0
  let endedAtMs = START_MS
  let longestVacancyMs = 0
  let isOver = false
  for (const [nth, process] of processes.entries()) {
    const { clock, name } = process
    const store = new DynamoDBLeaseStore({ tableName: TABLE, client: network.clientOf(process), clock })
    const times = { leaseMs: LEASE_MS, pollMs: LOOK_MS, refreshMs: LOOK_MS }
    const election = new Election({ store, clock, lease: LEASE, candidate: name, ...times })
    process.drift([PER_MILLE, -PER_MILLE, 0][nth] ?? 0)
    timeline.after(nth * 1_000, process, async () => {
      for await (const lease of election.campaign()) {
        tenures.push(name)
        leaders++
        longestVacancyMs = Math.max(longestVacancyMs, timeline.nowMs - endedAtMs)
        await clock.sleep(1e12, lease.signal)
        leaders--
        endedAtMs = timeline.nowMs
      }
    })
  }
  const checkAgain = () =>
    timeline.after(CHECK_MS, undefined, () => {
      for (const process of processes) {
        if (Math.abs(process.offsetMs) >= correctsAtMs) process.setWall(-process.offsetMs)
      }
      isOver = timeline.nowMs > START_MS + days * DAY_MS
      if (!isOver) checkAgain()
    })
  checkAgain()
  enter(timeline)
  try {
    await timeline.run(() => !isOver)
  } finally {
    enter(undefined)
  }
  return { tenures, isLed: leaders === 1, longestVacancyMs }
}
