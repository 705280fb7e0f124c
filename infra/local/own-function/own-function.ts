/** A function of the user's own, as an ElectedSchedule would deploy it. */
import { LAMBDA_LEASE_MS } from '../../../functions/election/options.ts'
import { count, secondsOf, timeOf } from '../cli/phrases.ts'
import { type ElectionSummary, electionFaultsOf } from '../cli/summary.ts'
import type { Tally } from '../run/tally.ts'
import type { Stage, Task, TaskMaker } from '../run/task.ts'
import { leaseOf } from '../stack/resources.ts'
import { nthCandidate } from '../stack/schedules.ts'
import type { OwnPlace } from './own-outcome.ts'
import { ownReader } from './own-reader.ts'

/** Ticks of the future are refused by the protocol: the first one lies so far back that the last is hours away. */
const FIRST_TICK_PERIODS_AGO = 10_000
/** An invocation that takes so long is spoken of once. */
const LONG_S = 10

export interface OwnTask extends OwnPlace {
  /** As it was given. */
  readonly path: string
}

export function ownFunction(own: OwnTask): TaskMaker<ElectionSummary> {
  return (stage) => ownTask(own, stage)
}

function ownTask({ path, lease, directory }: OwnTask, stage: Stage): Task<ElectionSummary> {
  const { candidates, display, options } = stage
  const lambdas = candidates.map(({ lambda }) => lambda)
  const leaseMs = Number(lambdas[0]?.environment['LEASE_MS'] ?? LAMBDA_LEASE_MS)
  const timeoutMs = lambdas[0]?.timeoutMs ?? 0
  const place = { lease, directory, leaseMs }
  const read = ownReader(place, { seen: stage.seen, warn: (text) => display.warn(`    ${text}`) })
  /** While Lambda waits to try again, nothing is to be heard. */
  let quietUntil = 0
  let hasSpoken = false

  return {
    name: path,
    lease,
    leaseTable: leaseOf(candidates).leaseTable,
    leaseMs,
    candidates,
    candidate: (number) => nthCandidate(candidates, number),
    interceptors: [],
    seed: async () => {},
    firstTickMs: (periodMs, nowMs) => (Math.floor(nowMs / periodMs) - FIRST_TICK_PERIODS_AGO) * periodMs,
    introduce: (firstTick) => {
      const periodMs = candidates[0]?.schedule.periodMs ?? 0
      const every = `a tick every ${periodMs / 60_000} min from ${timeOf(firstTick)}`
      display.note(
        `${path} by ${count(candidates.length, 'candidate')} for the lease ${lease} of ${secondsOf(leaseMs)}; ${every}`,
      )
    },
    tickStarts: () => {
      quietUntil = performance.now()
      return () => {
        if (hasSpoken || performance.now() - quietUntil < LONG_S * 1_000) return
        hasSpoken = true
        display.note(`    … ${path} has not returned for ${LONG_S} s; it is stopped after ${secondsOf(timeoutMs)}`)
      }
    },
    tickEnded: async () => undefined,
    isSettled: async () => true,
    read: (attempt) => {
      quietUntil = Math.max(quietUntil, performance.now() + (attempt.retryInMs ?? 0))
      return read(attempt)
    },
    report: async (tally, { cut, isInterrupted, undone, candidates: most }) => {
      const summary = { ...tally, candidates: most }
      const faults = electionFaultsOf(summary, { cut, chaos: false })
      const shown = undone.length > 0 ? undone : frozenForNothing(options, tally)
      const inconclusive = isInterrupted ? [] : shown
      return { summary, verdict: { faults, harm: [], inconclusive }, struck: [], charges: [] }
    },
  }
}

/** Why a run in which a leader was to be frozen shows nothing of it, in sentences. */
function frozenForNothing({ scenario }: Pick<Stage['options'], 'scenario'>, { staleWritesRefused }: Tally) {
  const isPlanned = (deed: string) => scenario.some((act) => act.do === deed)
  if (!isPlanned('freezeLeader') || !isPlanned('thawLeader') || staleWritesRefused > 0) return []
  return ['The leader was frozen and thawed, but no write of its was refused.']
}
