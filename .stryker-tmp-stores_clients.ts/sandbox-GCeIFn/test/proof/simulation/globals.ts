/**
 * Replaces everything by which a simulated process could see the real world: randomness, time and timers. Outside a
 * simulated process all of it is real. Import this before modules that keep one of these.
 */
// @ts-nocheck

import nodeCrypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers'
import type { SimulatedProcess, Timeline } from './process.ts'

let timeline: Timeline | undefined

/** From now on this timeline says which process is running. */
export function enter(world: Timeline | undefined): void {
  timeline = world
}

/** Runs it with the timeline entered. @param wrong receives what rejects, also unhandled */
export async function within(world: Timeline, run: () => Promise<void>, wrong: (what: string) => void): Promise<void> {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0 // the SDK makes many errors, and their stacks take a tenth of the time
  const onUnhandled = (reason: unknown) => wrong(`unhandled rejection: ${String(reason)}`)
  process.on('unhandledRejection', onUnhandled)
  enter(world)
  try {
    // Rejects with errors of the simulation itself, such as an invalid request to DynamoDB.
    await run().catch((error: unknown) => wrong(String(error)))
    await new Promise((resolve) => setImmediate(resolve)) // Node reports unhandled rejections then
  } finally {
    process.off('unhandledRejection', onUnhandled)
    enter(undefined)
    Error.stackTraceLimit = stackTraceLimit
  }
}

function inside(): SimulatedProcess | undefined {
  return timeline?.current
}

const RealDate = Date
const real = {
  random: Math.random,
  randomUUID: crypto.randomUUID.bind(crypto),
  now: Date.now,
  performanceNow: performance.now.bind(performance),
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  abortTimeout: AbortSignal.timeout.bind(AbortSignal),
}

function now(): number {
  return inside()?.wallMs() ?? real.now.call(RealDate)
}

function startTimer(act: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) {
  const process = inside()
  if (process === undefined || timeline === undefined) return real.setTimeout(act, ms, ...args)
  const cancel = timeline.after(Math.max(1, Math.ceil(ms)), process, () => act(...args))
  const timer = Object.assign(cancel, { ref: () => timer, unref: () => timer })
  return timer
}

function stopTimer(timer: unknown): void {
  if (typeof timer === 'function') timer()
  else Reflect.apply(real.clearTimeout, globalThis, [timer])
}

function abortAfter(ms: number): AbortSignal {
  if (inside() === undefined) return real.abortTimeout(ms)
  const controller = new AbortController()
  const timedOut = new DOMException('The operation was aborted due to timeout', 'TimeoutError')
  startTimer(() => controller.abort(timedOut), ms)
  return controller.signal
}

/** A function, because a proxy is several times as slow. */
function SimulatedDate(...args: unknown[]): unknown {
  if (new.target === undefined) return RealDate()
  const target = new.target === SimulatedDate ? RealDate : new.target
  return Reflect.construct(RealDate, args.length === 0 ? [now()] : args, target)
}
SimulatedDate.prototype = RealDate.prototype
Object.setPrototypeOf(SimulatedDate, RealDate)

Math.random = () => inside()?.random.fraction() ?? real.random()
Date.now = now
const randomUUID = () => inside()?.random.uuid() ?? real.randomUUID()
crypto.randomUUID = randomUUID
nodeCrypto.randomUUID = randomUUID
performance.now = () => inside()?.monotonicMs() ?? real.performanceNow()
AbortSignal.timeout = abortAfter
const replaced = { setTimeout: startTimer, clearTimeout: stopTimer }
Object.assign(globalThis, { Date: SimulatedDate, ...replaced })
Object.assign(timers, replaced)
syncBuiltinESMExports()
