/** The billing stack's task: seeds the customers, shows the progress of charges, and audits the run. */
// @ts-nocheck

import type { Subscription } from '../../../functions/billing/subscription.ts'
import { count, timeOf } from '../../programs/text.ts'
import { planOf } from '../faults/plan.ts'
import { PlannedFaults } from '../faults/planned-faults.ts'
import { HOW_SWITCHED_OFF } from '../faults/protections.ts'
import { outcomeOf } from '../observe/outcome.ts'
import type { Task, TaskContext } from '../run/task.ts'
import { resourcesOf } from '../stack/resources.ts'
import { type AuditedTicks, auditRun, type RecordedCharge, readGateway } from './audit.ts'
import { earliestDueAt, forecastOf, seedSubscriptions } from './subscriptions.ts'
import { chargesOf, concludeBilling } from './verdict.ts'

export const billing =
  (subscriptions: readonly Subscription[]) =>
  (context: TaskContext): Task => {
    const { options, client, functions, candidates, display, signal } = context
    const resources = resourcesOf(candidates, functions)
    const plan = planOf(options)
    const faults = new PlannedFaults({ ...context.injecting, plan, places: resources, without: options.without })
    const audited = (ticks: AuditedTicks) => auditRun(client, resources, ticks, subscriptions)
    const { gateway } = faults
    const newlyDueAt = forecastOf(subscriptions)
    const moved: RecordedCharge[] = []
    let due = 0

    async function newCharges(): Promise<readonly RecordedCharge[]> {
      const { charges } = await readGateway(client, resources.sandboxTable)
      const known = new Set(moved.map(({ id }) => id))
      const fresh = charges.filter(({ id }) => !known.has(id))
      moved.push(...fresh)
      return fresh
    }

    return {
      name: 'billing',
      interceptors: [faults.intercept],
      seed: () => seedSubscriptions(client, resources.subscriptionsTable, subscriptions, signal),
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

      tickStarts: (number, tickMs) => {
        due += newlyDueAt(tickMs)
        faults.tickStarts(number, due)
      },

      progress: () => {
        const { size } = gateway.answered
        if (size < due) display.note(`    … the gateway has answered ${size} of ${count(due, 'charge')}`)
      },

      tickEnded: async () => {
        due = Math.max(0, due - gateway.answered.size)
        return chargesOf(await newCharges())
      },

      outcomeOf: ({ requestId, ending }) => {
        const observations = context.recorder.observations(requestId)
        // With the lease switched off, each candidate has one of its own.
        return outcomeOf(ending, observations, observations.leases[0]?.lease ?? context.lease.lease)
      },

      money: () => chargesOf(moved),

      isSettled: async (tick) => {
        const { dueNotCharged, lostUpdates } = await audited({ lastTick: tick, latestTick: tick })
        return dueNotCharged === 0 && lostUpdates === 0
      },

      conclude: async (end) => {
        const report = { replayedRequests: gateway.replayedRequests, injected: faults.injected }
        return concludeBilling(end, { ...(await audited(end)), ...report }, options)
      },
    }
  }
