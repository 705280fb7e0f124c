/** The task of the stacks: generated or given customers, the gateway of the stack, and the books of both. */
import type { Subscription } from '../../../functions/billing/subscription.ts'
import { count, timeOf } from '../cli/phrases.ts'
import { type Summary, summarize } from '../cli/summary.ts'
import { verdictOn } from '../cli/verdict.ts'
import { PlannedFaults } from '../faults/planned-faults.ts'
import { HOW_SWITCHED_OFF, withoutLease } from '../faults/protections.ts'
import { completedAfterAll, outcomeOf } from '../observe/outcome.ts'
import type { Stage, Task, TaskMaker } from '../run/task.ts'
import { PAST_LEASE_MS, placesOf } from '../stack/resources.ts'
import { firstTickMs, nthCandidate } from '../stack/schedules.ts'
import { areSettled, readBooks } from './audited-run.ts'
import { type Booked, earliestDueAt, readGateway, seedSubscriptions } from './customers.ts'
import { forecast } from './forecast.ts'

/** @param subscriptions as they are before the first tick */
export function billing(subscriptions: readonly Subscription[]): TaskMaker<Summary> {
  return (stage) => billingTask(subscriptions, stage)
}

function billingTask(subscriptions: readonly Subscription[], stage: Stage): Task<Summary> {
  const { options, client, functions, display, signal } = stage
  const { candidates } = stage
  const places = placesOf(candidates, functions)
  const pastLeaseMs = places.leaseMs + PAST_LEASE_MS
  const faults = new PlannedFaults(options, places, { ...stage.injecting, pastLeaseMs })
  const answered = () => faults.gateway.answered()
  const known = new Set<string>()
  const newlyDue = forecast(subscriptions)
  let owed = 0

  /** The charges that the gateway has, and did not have when this was asked before. */
  async function chargedSince(): Promise<readonly Booked[]> {
    const { charges } = await readGateway(client, places.sandboxTable)
    const fresh = charges.filter(({ id }) => !known.has(id))
    for (const { id } of fresh) known.add(id)
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
    interceptors: [faults.intercept],
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
      return () => {
        if (answered() < owed) display.progress(answered(), owed)
      }
    },

    tickEnded: async () => {
      owed = Math.max(0, owed - answered())
      return chargedSince()
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
      areSettled(await readBooks(client, places, { lastTick: tick, latestTick: tick }, subscriptions)),

    report: async (tally, { cut, isInterrupted, undone, candidates: most, ...ticks }) => {
      const books = await readBooks(client, places, ticks, subscriptions)
      const replayedRequests = faults.gateway.replayedRequests()
      const summary = summarize(tally, most, { ...books, replayedRequests })
      const struck = faults.injected()
      const verdict = verdictOn(summary, struck, options, { cut, isInterrupted, undone })
      return { summary, verdict, struck, charges: books.charges }
    },
  }
}
