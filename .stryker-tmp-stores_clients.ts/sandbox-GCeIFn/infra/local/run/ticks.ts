/** Runs ticks one after the other: the next one starts when the one before it has settled. */
// @ts-nocheck

import { setTimeout as sleep } from 'node:timers/promises'
import { FAULT_WORDS, FaultError } from '../faults/fault.ts'
import type { ManualFaults } from '../faults/manual-faults.ts'
import { withoutLease } from '../faults/protections.ts'
import type { LambdaHost } from '../lambda-host/lambda-host.ts'
import type { Recorder } from '../observe/recorder.ts'
import type { Feed } from '../page/feed.ts'
import { nthCandidate } from '../stack/schedules.ts'
import type { RunningTicks } from './running-ticks.ts'
import type { Task, TaskContext } from './task.ts'
import { completionsOf, RunningTick, type TickCandidate, type Try } from './tick.ts'
import { type RunEnd, writesIn } from './verdict.ts'

export interface TicksContext extends Omit<TaskContext, 'recorder' | 'injecting'> {
  readonly task: Omit<Task, 'conclude'>
  readonly host: LambdaHost
  readonly manualFaults: ManualFaults
  readonly recorder: Recorder
  readonly runningTicks: RunningTicks
  readonly feed: Pick<Feed, 'add'>
}

/** Ticks after the chaos, until nothing is left to do. */
const MAX_CALM_TICKS = 5
const PROGRESS_EVERY_MS = 10_000

export class Ticks {
  readonly #context: TicksContext
  readonly #periodMs: number
  readonly #firstMs: number
  #number = 0
  #startedAt = Number.NEGATIVE_INFINITY
  #maxCandidates = 0
  readonly #undone: string[] = []
  /** The last tick that was started, and the one before it. */
  #last: RunningTick | undefined
  #lastButOne: RunningTick | undefined

  constructor(context: TicksContext) {
    const { task, lease, candidates } = context
    this.#context = context
    this.#periodMs = candidates[0]?.schedule.periodMs ?? 0
    this.#firstMs = task.firstTickMs(this.#periodMs, Date.now())
    const setup = { task: task.name, lease: lease.lease, leaseMs: lease.leaseMs, periodMs: this.#periodMs }
    context.feed.add({ kind: 'setup', ...setup, switchedOff: context.options.without })
  }

  async run(): Promise<RunEnd> {
    const { options, task, display, signal, host, manualFaults, runningTicks } = this.#context
    const { ticks = Number.POSITIVE_INFINITY, chaos } = options
    task.introduce(new Date(this.#firstMs).toISOString(), this.#periodMs)
    let goesOn = true
    while (goesOn && this.#number < ticks) goesOn = await this.#runNext()
    if (chaos !== undefined && goesOn) {
      display.note('The chaos is over: ticks without faults follow until nothing is left to do.')
      for (let calm = 1; calm <= MAX_CALM_TICKS && (await this.#runNext()); calm += 1) {
        if (await task.isSettled?.(this.#last?.record().tick ?? '')) break
      }
    }
    // A leader that was thawed last has yet to find out that it was replaced. One that is still frozen would never end.
    if (!signal.aborted && !manualFaults.hasFrozen()) await runningTicks.over()
    await host.stop()
    return this.#end()
  }

  /** @returns whether there may be another tick */
  async #runNext(): Promise<boolean> {
    const { options, task, display, signal, feed } = this.#context
    const waitMs = this.#startedAt + options.everyMs - performance.now()
    await sleep(Math.max(0, waitMs), undefined, { signal }).catch(() => {})
    if (signal.aborted) return false
    const tickMs = this.#firstMs + this.#number * this.#periodMs
    if (tickMs > Date.now()) {
      display.note('The next tick lies in the future, so the run ends here.')
      return false
    }
    this.#number += 1
    this.#startedAt = performance.now()
    await this.#injectScheduled()
    task.tickStarts?.(this.#number, tickMs)
    feed.add({ kind: 'ticked', atMs: Date.now(), number: this.#number, tick: new Date(tickMs).toISOString() })
    const tick = this.#start(tickMs)
    using _progress = setInterval(() => task.progress?.(), PROGRESS_EVERY_MS)
    await tick.settled
    display.ticked(tick.record(), (await task.tickEnded?.()) ?? '', wasCut(tick, signal))
    this.#addCounts() // with the money of this tick
    return !signal.aborted
  }

  #start(tickMs: number): RunningTick {
    const { task, host, recorder, manualFaults, runningTicks, signal } = this.#context
    const candidates = this.#candidates()
    this.#maxCandidates = Math.max(this.#maxCandidates, candidates.length)
    const tick = new RunningTick(this.#number, tickMs, {
      host,
      candidates,
      outcomeOf: (attempt) => task.outcomeOf(attempt),
      onStart: (...invocation) => recorder.invocationStarted(...invocation),
      onTry: (tried) => this.#onTry(tried),
      isFrozen: manualFaults.isFrozen,
      isReachable: (candidate) => manualFaults.candidates.isReachable(candidate),
    })
    runningTicks.add(tick)
    this.#lastButOne = this.#last
    this.#last = tick
    // A tick that an interruption cut short is not overdue.
    void tick.over.then(() => signal.aborted || this.#addCounts())
    this.#addCounts()
    return tick
  }

  #candidates(): readonly TickCandidate[] {
    const { candidates: declared, options, manualFaults } = this.#context
    return manualFaults.candidates.present().map((number) => {
      const candidate = nthCandidate(declared, number)
      return {
        ...(options.without.includes('lease') ? withoutLease(candidate, number) : candidate),
        number,
        clockSkewMs: () => manualFaults.candidates.skewMs(number),
      }
    })
  }

  async #injectScheduled(): Promise<void> {
    const { options, manualFaults, display } = this.#context
    for (const fault of options.scenario.filter(({ tick }) => tick === this.#number)) {
      await manualFaults.inject(fault).catch((error: unknown) => {
        if (!(error instanceof FaultError)) throw error
        const sentence = `Tick ${fault.tick}, ${fault.do}: ${error.message}.`
        this.#undone.push(sentence)
        display.warn(`    ${sentence}`)
      })
    }
  }

  #onTry(tried: Try): void {
    const { manualFaults, recorder, display, task } = this.#context
    const { requestId, ending } = tried.attempt
    manualFaults.invocationEnded(requestId)
    recorder.invocationEnded(requestId, tried.outcome, ending.logs)
    display.tried(tried, task.showsLogs)
    this.#addCounts()
  }

  #addCounts(): void {
    const { feed, runningTicks, recorder, task } = this.#context
    const { ticks, completed, completedTwice } = runningTicks.tally()
    const counts = { ticks, completed, completedTwice, overdue: runningTicks.overdue(), money: task.money?.() }
    const staleAccepted = writesIn(recorder.unguardedWrites())
    feed.add({ kind: 'counts', ...counts, staleRefused: recorder.staleRefused(), staleAccepted })
  }

  #end(): RunEnd {
    const { signal, runningTicks, recorder } = this.#context
    const cut = this.#last !== undefined && wasCut(this.#last, signal)
    return {
      summary: {
        ...runningTicks.tally(),
        staleWritesRefused: recorder.staleRefused(),
        completionsRefused: recorder.lateCompletions(),
        unguardedWrites: recorder.unguardedWrites(),
        candidates: this.#maxCandidates,
      },
      wasCut: cut,
      isInterrupted: signal.aborted,
      lastTick: (cut ? this.#lastButOne : this.#last)?.record().tick ?? '',
      latestTick: this.#last?.record().tick ?? '',
      undone: [...this.#undone, ...this.#notReached()],
    }
  }

  /** Planned faults whose tick never came, or whose leader never came to the point where they apply. */
  #notReached(): readonly string[] {
    const { options, manualFaults } = this.#context
    const beyond = options.scenario.filter(({ tick }) => tick > this.#number)
    if (beyond.length > 0) return beyond.map((fault) => `Tick ${fault.tick}, ${fault.do}: the run ended before it.`)
    const { injected } = manualFaults
    const planned = (name: keyof typeof injected) => options.scenario.filter((fault) => fault.do === name).length
    return (['killLeader', 'freezeLeader'] as const)
      .filter((name) => planned(name) > injected[name])
      .map((name) => `The leader was not ${FAULT_WORDS[name]}: no leader came to a write, or to its end.`)
  }
}

const wasCut = (tick: RunningTick, signal: AbortSignal): boolean =>
  signal.aborted && completionsOf(tick.record()).length === 0
