/** The task of the stacks: generated or given customers, the gateway of the stack, and the books of both. */
import type { Subscription } from '../../../functions/billing/subscription.ts'
import { count, timeOf } from '../../programs/text.ts'
import type { CallFault } from '../faults/fault.ts'
import { PlannedFaults } from '../faults/planned-faults.ts'
import { HOW_SWITCHED_OFF } from '../faults/protections.ts'
import { completedAfterAll, outcomeOf } from '../observe/outcome.ts'
import type { Task, TaskContext, TaskMaker } from '../run/task.ts'
import { resourcesOf } from '../stack/resources.ts'
import { firstTickMs } from '../stack/schedules.ts'
import { areSettled, type Books, readBooks } from './audited-run.ts'
import { type Booked, earliestDueAt, readGateway, seedSubscriptions } from './customers.ts'
import { forecast } from './forecast.ts'

/** What the gateway and the ledger have after the run, and the faults that were injected. */
export interface BillingReport extends Books {
  readonly replayedRequests: number
  readonly injected: readonly CallFault[]
}

/** @param subscriptions as they are before the first tick */
export function billing(subscriptions: readonly Subscription[]): TaskMaker<BillingReport> {
  return (context) => billingTask(subscriptions, context)
}

function billingTask(subscriptions: readonly Subscription[], context: TaskContext): Task<BillingReport> {
  const { options, client, functions, candidates, display, signal } = context
  const resources = resourcesOf(candidates, functions)
  const faults = new PlannedFaults(options, resources, context.injecting)
  const answered = () => faults.gateway.answered()
  const known = new Set<string>()
  const newlyDue = forecast(subscriptions)
  let owed = 0

  /** The charges that the gateway has, and did not have when this was asked before. */
  async function chargedSince(): Promise<readonly Booked[]> {
    const { charges } = await readGateway(client, resources.sandboxTable)
    const fresh = charges.filter(({ id }) => !known.has(id))
    for (const { id } of fresh) known.add(id)
    return fresh
  }

  return {
    name: 'billing',
    interceptors: [faults.intercept],
    seed: () => seedSubscriptions(client, resources.subscriptionsTable, subscriptions, signal),
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
        display.warn(
          `Switched off: ${without.map((control) => HOW_SWITCHED_OFF[control]).join('; ')}. The deployed code knows nothing of it.`,
        )
      }
      if (chaos !== undefined) {
        display.warn(`Chaos of seed ${chaos}: ${count(faults.planned(), 'fault')} planned in ${count(ticks, 'tick')}.`)
      }
    },

    tickStarts: (number, tickMs) => {
      owed += newlyDue.newlyDueAt(tickMs)
      faults.tickStarts(number, owed)
    },

    progress: () => {
      if (answered() < owed) display.progress(answered(), owed)
    },

    tickEnded: async () => {
      owed = Math.max(0, owed - answered())
      return chargedSince()
    },

    outcomeOf: ({ requestId, ending }) => {
      const outcome = completedAfterAll(outcomeOf(ending), context.recorder.observations(requestId))
      if (outcome.status === 'completed' && outcome.thrown !== undefined) {
        const { fencingToken, thrown } = outcome
        display.warn(`    Token ${fencingToken} failed after completing its tick: ${thrown.errorMessage}`)
      }
      return outcome
    },

    isSettled: async (tick) =>
      areSettled(await readBooks(client, resources, { lastTick: tick, latestTick: tick }, subscriptions)),

    report: async (ticks) => {
      const books = await readBooks(client, resources, ticks, subscriptions)
      return { ...books, replayedRequests: faults.gateway.replayedRequests(), injected: faults.injected() }
    },
  }
}
