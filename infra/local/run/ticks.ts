/** Ticks, one after the other: the next one starts when the one before it has settled. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Display } from '../cli/display.ts'
import type { StartOptions } from '../cli/options.ts'
import { watchProgress } from '../cli/progress.ts'
import { type ElectionSummary, wasCut } from '../cli/summary.ts'
import { FaultError, MAX_CANDIDATES } from '../faults/fault.ts'
import type { ManualFaults } from '../faults/manual-faults.ts'
import type { LambdaHost } from '../lambda-host/lambda-host.ts'
import type { Recorder } from '../observe/recorder.ts'
import type { Feed } from '../page/feed.ts'
import type { Roll } from './running-ticks.ts'
import type { Tally } from './tally.ts'
import type { HowItEnded, Task } from './task.ts'
import { type RunningTick, startTick, type Try } from './tick.ts'

export interface TicksContext {
  readonly options: StartOptions
  readonly display: Display
  readonly signal: AbortSignal
  readonly task: Task<ElectionSummary>
  readonly host: LambdaHost
  readonly manualFaults: ManualFaults
  readonly recorder: Recorder
  readonly roll: Roll
  readonly feed: Pick<Feed, 'add'>
}

/** After the chaos, until nothing is left to do. */
const MOST_CALM_TICKS = 5

export async function runTicks(context: TicksContext): Promise<HowItEnded & { readonly tally: Tally }> {
  const { options, display, signal, task, host, manualFaults, recorder, roll, feed } = context
  const periodMs = task.candidates[0]?.schedule.periodMs ?? 0
  const firstMs = task.firstTickMs(periodMs, Date.now())
  const { lease, leaseMs } = task
  const { without: switchedOff } = options
  const setup = { task: task.name, lease, leaseMs, periodMs, switchedOff, maxCandidates: MAX_CANDIDATES }
  feed.add({ kind: 'setup', ...setup })
  task.introduce(new Date(firstMs).toISOString())

  /** The last tick that was begun, and before it the one before. */
  const begun: RunningTick[] = []
  let number = 0
  let startedAt = Number.NEGATIVE_INFINITY

  /** What was planned and could not be done, in sentences. */
  const undone: string[] = []
  let mostCandidates = 0

  const tellCounts = () => {
    const { ticks, completed, completedTwice } = roll.tally()
    const staleRefused = recorder.staleRefused()
    feed.add({ kind: 'counts', ticks, completed, completedTwice, overdue: roll.overdue(), staleRefused })
  }

  const onTry = (tried: Try) => {
    const { requestId, ending, retryInMs } = tried.attempt
    manualFaults.invocationEnded(requestId)
    recorder.invocationEnded(requestId, tried.outcome, { logs: ending.logs, retryInMs })
    display.tried(tried)
    tellCounts()
  }

  async function carryOut(tick: number): Promise<void> {
    for (const fault of options.scenario.filter((planned) => planned.tick === tick)) {
      await manualFaults.inject(fault).catch((error: unknown) => {
        if (!(error instanceof FaultError)) throw error
        undone.push(`Tick ${tick}, ${fault.do}: ${error.message}.`)
        display.warn(`    Tick ${tick}, ${fault.do}: ${error.message}.`)
      })
    }
  }

  /** Runs one tick more, and tells whether there can be another. */
  async function runNext(): Promise<boolean> {
    await sleep(Math.max(0, startedAt + options.everyMs - performance.now()), undefined, { signal }).catch(() => {})
    if (signal.aborted) return false
    const tickMs = firstMs + number * periodMs
    if (tickMs > Date.now()) {
      display.note('The next tick lies in the future, where no tick is run.')
      return false
    }
    number += 1
    startedAt = performance.now()
    await carryOut(number)
    const tellProgress = task.tickStarts(number, tickMs)
    feed.add({ kind: 'ticked', atMs: Date.now(), number, tick: new Date(tickMs).toISOString() })
    const candidates = manualFaults.candidates.present().map((candidate) => ({
      ...task.candidate(candidate),
      number: candidate,
      clockSkewMs: () => manualFaults.candidates.skewMs(candidate),
    }))
    mostCandidates = Math.max(mostCandidates, candidates.length)
    const { isFrozen } = manualFaults
    const isReachable = (candidate: number) => manualFaults.candidates.isReachable(candidate)
    const onStart: Recorder['invocationStarted'] = (...started) => recorder.invocationStarted(...started)
    const { read } = task
    const running = startTick(number, tickMs, { host, candidates, onStart, onTry, isFrozen, isReachable, read })
    roll.add(running)
    begun.push(running)
    if (begun.length > 2) begun.shift()
    // What was cut short is not overdue.
    void running.over.then(() => signal.aborted || tellCounts())
    tellCounts()
    using _progress = watchProgress(() => tellProgress?.())
    await running.settled
    const record = running.record()
    display.ticked(record, await task.tickEnded(), wasCut(record, signal))
    return !signal.aborted
  }

  const { ticks = Number.POSITIVE_INFINITY, chaos } = options
  let goes = true
  while (goes && number < ticks) goes = await runNext()
  if (chaos !== undefined && goes) {
    display.note('Calm again: ticks without faults, until nothing is left to do.')
    for (let calm = 1; calm <= MOST_CALM_TICKS && (await runNext()); calm += 1) {
      if (await task.isSettled(begun.at(-1)?.record().tick ?? '')) break
    }
  }
  const unreached = options.scenario.filter(({ tick }) => tick > number)
  undone.push(...unreached.map((act) => `Tick ${act.tick}, ${act.do}: the run ended before it.`))
  // Whoever was thawed last has yet to learn that it was replaced; whoever is frozen still would not come to an end.
  if (!signal.aborted && !manualFaults.hasFrozen()) await roll.over()
  await host.stop()

  const cut = wasCut(begun.at(-1)?.record(), signal)
  const tickAt = (index: number) => begun.at(index)?.record().tick ?? ''
  return {
    tally: { ...roll.tally(), staleWritesRefused: recorder.staleRefused() },
    cut,
    isInterrupted: signal.aborted,
    lastTick: tickAt(cut ? -2 : -1),
    latestTick: tickAt(-1),
    candidates: mostCandidates,
    undone: unreached.length > 0 ? undone : [...undone, ...neverStruck(options, manualFaults.injected())],
  }
}

/** What was planned for a leader, and no leader came to the point where it is done. */
function neverStruck({ scenario }: StartOptions, injected: ReturnType<ManualFaults['injected']>): readonly string[] {
  const planned = (name: keyof typeof injected) => scenario.filter((fault) => fault.do === name).length
  const words = { killLeader: 'killed', freezeLeader: 'frozen' } as const
  return (['killLeader', 'freezeLeader'] as const)
    .filter((name) => planned(name) > injected[name])
    .map((name) => `The leader was not ${words[name]}: none came to a write, or to its end.`)
}
