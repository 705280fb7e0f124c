/** The billing stack's task: seeds the customers, shows the progress of charges, and audits the run. */
import type { Subscription } from '../../../functions/billing/subscription.ts'
import { count, timeOf } from '../cli/phrases.ts'
import { type Summary, summarize } from '../cli/summary.ts'
import { verdictOn } from '../cli/verdict.ts'
import { HOW_SWITCHED_OFF, withoutLease } from '../faults/controls.ts'
import { createScenario } from '../faults/scenario.ts'
import { completedAfterAll, outcomeOf } from '../observe/outcome.ts'
import type { Stage, Task, TaskMaker } from '../run/task.ts'
import { PAST_LEASE_MS, placesOf } from '../stack/resources.ts'
import { firstTickMs, nthCandidate } from '../stack/schedules.ts'
import { auditRun, isSettled, type RecordedCharge, readGateway } from './audit.ts'
import { earliestDueAt, Forecast } from './forecast.ts'
import { seedSubscriptions } from './seed.ts'

/** @param subscriptions as they are before the first tick */
export function billing(subscriptions: readonly Subscription[]): TaskMaker<Summary> {
  return (stage) => billingTask(subscriptions, stage)
}

function billingTask(subscriptions: readonly Subscription[], stage: Stage): Task<Summary> {
  const { options, client, functions, display, signal } = stage
  const { candidates } = stage
  const places = placesOf(candidates, functions)
  const scenario = createScenario(options, places, { ...stage.striking, pastLeaseMs: places.leaseMs + PAST_LEASE_MS })
  const { answered } = scenario.gateway
  const reported = new Set<string>()
  const forecast = new Forecast(subscriptions)
  let due = 0

  /** The gateway's charges since the last call. */
  async function newCharges(): Promise<readonly RecordedCharge[]> {
    const { charges } = await readGateway(client, places.sandboxTable)
    const fresh = charges.filter(({ id }) => !reported.has(id))
    for (const { id } of fresh) reported.add(id)
    return fresh
  }

  return {
    name: 'billing',
    lease: places.lease,
    leaseTable: places.leaseTable,
    leaseMs: places.leaseMs,
    candidates,
    candidate: (number) => {
      const candidate = nthCandidate(candidates, number)
      return options.without.includes('lease') ? withoutLease(candidate, number) : candidate
    },
    interceptors: [scenario.intercept],
    seed: () => seedSubscriptions(client, places.subscriptionsTable, subscriptions, signal),
    firstTickMs: (periodMs, nowMs) => firstTickMs(Date.parse(earliestDueAt(subscriptions)), periodMs, nowMs),

    introduce: (firstTick) => {
      const periodMs = candidates[0]?.schedule.periodMs ?? 0
      const every = `a tick every ${periodMs / 60_000} min from ${timeOf(firstTick)}`
      display.note(`${count(subscriptions.length, 'subscription')}; ${every}`)
      display.note(`Candidates: ${candidates.map(({ schedule }) => schedule.name).join(', ')}`)
      if (earliestDueAt(subscriptions) > new Date().toISOString()) {
        display.note('Nothing is due yet: the first tick is the last full period before now.')
      }
      const { without, chaos, ticks = 0 } = options
      if (without.length > 0) {
        const controls = without.map((control) => HOW_SWITCHED_OFF[control]).join('; ')
        display.warn(`Switched off: ${controls}. The deployed code is unchanged.`)
      }
      if (chaos !== undefined) {
        display.warn(`Chaos of seed ${chaos}: ${count(scenario.planned, 'fault')} planned in ${count(ticks, 'tick')}.`)
      }
    },

    tickStarts: (number, tickMs) => {
      due += forecast.newlyDueAt(tickMs)
      scenario.tickStarts(number, due)
      return () => {
        if (answered() < due) display.progress(answered(), due)
      }
    },

    tickEnded: async () => {
      due = Math.max(0, due - answered())
      return newCharges()
    },

    read: ({ requestId, ending }) => {
      const outcome = completedAfterAll(outcomeOf(ending), stage.seen(requestId))
      if (outcome.status === 'completed' && outcome.thrown !== undefined) {
        const { fencingToken, thrown } = outcome
        display.warn(`    Token ${fencingToken} had completed its tick when it failed: ${thrown.errorMessage}`)
      }
      return outcome
    },

    isSettled: async (tick) =>
      isSettled(await auditRun(client, places, { lastTick: tick, latestTick: tick }, subscriptions)),

    report: async (tally, { cut, isInterrupted, undone, candidates: most, ...ticks }) => {
      const audit = await auditRun(client, places, ticks, subscriptions)
      const replayedRequests = scenario.gateway.replayedRequests()
      const summary = summarize(tally, most, { ...audit, replayedRequests })
      const struck = scenario.struck()
      const verdict = verdictOn(summary, struck, options, { cut, isInterrupted, undone })
      return { summary, verdict, struck, charges: audit.charges }
    },
  }
}
