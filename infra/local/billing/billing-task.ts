/** The billing stack's task: seeds the customers, shows the progress of charges, and audits the run. */
import type { Subscription } from '../../../functions/billing/subscription.ts'
import { count, timeOf } from '../../programs/text.ts'
import { planOf } from '../faults/plan.ts'
import { PlannedFaults } from '../faults/planned-faults.ts'
import { HOW_SWITCHED_OFF } from '../faults/protections.ts'
import { outcomeOf } from '../observe/outcome.ts'
import type { Task, TaskContext } from '../run/task.ts'
import { variableOf } from '../stack/schedules.ts'
import { type AuditedTicks, auditRun, type RecordedCharge, readGateway } from './audit.ts'
import { earliestDueAt, forecastOf, seedSubscriptions } from './subscriptions.ts'
import { chargesOf, concludeBilling } from './verdict.ts'

export const billing =
  (subscriptions: readonly Subscription[]) =>
  (context: TaskContext): Task => {
    const { options, client, functions, candidates, lease, display, signal } = context
    const lambdas = candidates.map(({ lambda }) => lambda)
    const tables = {
      leaseTable: lease.leaseTable,
      subscriptionsTable: variableOf(lambdas, 'SUBSCRIPTIONS_TABLE'),
      chargesTable: variableOf(lambdas, 'CHARGES_TABLE'),
      sandboxTable: variableOf(functions, 'SANDBOX_TABLE'),
    }
    const plan = planOf(options)
    const faults = new PlannedFaults({ ...context.injecting, plan, places: tables, without: options.without })
    const audited = (ticks: AuditedTicks) => auditRun(client, tables, ticks, subscriptions)
    const newlyDueAt = forecastOf(subscriptions)
    let moved: readonly RecordedCharge[] = []

    return {
      name: 'billing',
      interceptors: [faults.intercept],
      seed: () => seedSubscriptions(client, tables.subscriptionsTable, subscriptions, signal),
      // If nothing is due yet, the last full period, because the protocol refuses future ticks.
      firstTickMs: (periodMs, nowMs) =>
        Math.floor(Math.min(Date.parse(earliestDueAt(subscriptions)), nowMs) / periodMs) * periodMs,

      introduce: (firstTick, periodMs) => {
        const every = `a tick every ${periodMs / 60_000} min from ${timeOf(firstTick)}`
        display.note(`${count(subscriptions.length, 'subscription')}; ${every}`)
        display.note(`Candidates: ${candidates.map(({ schedule }) => schedule.name).join(', ')}`)
        if (earliestDueAt(subscriptions) > new Date().toISOString()) {
          display.note('Nothing is due yet: the first tick is the last full period before now.')
        }
        const { without, chaos, ticks = 0 } = options
        if (without.length > 0) {
          const how = without.map((protection) => HOW_SWITCHED_OFF[protection]).join('; ')
          display.warn(`Switched off: ${how}. The deployed code is unchanged.`)
        }
        if (chaos !== undefined) {
          display.warn(`Chaos of seed ${chaos}: ${count(plan.size, 'fault')} planned in ${count(ticks, 'tick')}.`)
        }
      },

      tickStarts: (number, tickMs) => faults.tickStarts(number, newlyDueAt(tickMs)),
      progress: () => display.note(`    … the gateway has answered ${count(faults.answered, 'charge')}`),

      tickEnded: async () => {
        const known = new Set(moved.map(({ id }) => id))
        moved = (await readGateway(client, tables.sandboxTable)).charges
        return chargesOf(moved.filter(({ id }) => !known.has(id)))
      },

      outcomeOf: ({ requestId, ending }) => {
        const observations = context.recorder.observations(requestId)
        // With the lease switched off, each candidate has one of its own.
        return outcomeOf(ending, observations, observations.leases[0]?.lease ?? lease.lease)
      },

      money: () => chargesOf(moved),

      isSettled: async (tick) => {
        const { dueNotCharged, lostUpdates } = await audited({ lastTick: tick, latestTick: tick })
        return dueNotCharged === 0 && lostUpdates === 0
      },

      conclude: async (end) => {
        const { replayedRequests, injected } = faults
        return concludeBilling(end, { ...(await audited(end)), replayedRequests, injected }, options)
      },
    }
  }
