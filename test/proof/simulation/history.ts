/** One history: a world that is made from a seed, lives through its ticks while things go wrong, and is then looked at. */
import { createHash } from 'node:crypto'
import type { Fault } from './faults.ts'
import type { Situation, Violation } from './findings.ts'
import { enter } from './globals.ts'
import type { Lambda } from './lambda.ts'
import { makeWorld } from './make-world.ts'
import { judgeCleanTick, judgeTicks } from './outcome-watch.ts'
import { Random } from './random.ts'
import { type Setting, START_MS } from './setting.ts'
import type { World } from './world.ts'

export interface Order {
  readonly seed: number
  readonly ticks?: number | undefined
  /** Of the seed's faults only these; all of them where absent. */
  readonly only?: ReadonlySet<number> | undefined
  /** Whether requests go through all layers of the AWS SDK. @default for each 32nd seed */
  readonly wholeSdk?: boolean | undefined
}

export interface History {
  readonly order: Order
  readonly setting: Setting
  readonly violation: Violation | undefined
  readonly faults: readonly Fault[]
  /** How many ticks were hit by at least one fault. */
  readonly faultedTicks: number
  readonly requests: number
  readonly situations: ReadonlyMap<Situation, number>
  readonly lines: readonly string[]
  /** SHA-256 over all that happened, to the byte. */
  readonly fingerprint: () => string
}

export async function live(order: Order): Promise<History> {
  const { world, lambda, lines, exchanged } = makeWorld(order)
  const { timeline, findings, faults, setting } = world
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0 // the SDK makes many errors, and their stacks take a tenth of the time
  const unhandled = (reason: unknown) => findings.wrong(`a rejection that nobody handles: ${String(reason)}`)
  process.on('unhandledRejection', unhandled)
  enter(timeline)
  try {
    await liveThrough(world, lambda).catch((error: unknown) => {
      // What is thrown at the world itself, as an invalid request to DynamoDB is, and not at a process in it.
      findings.wrong(String(error))
    })
    await new Promise((resolve) => setImmediate(resolve)) // Node tells of unhandled rejections when it comes to rest
  } finally {
    process.off('unhandledRejection', unhandled)
    enter(undefined)
    Error.stackTraceLimit = stackTraceLimit
  }
  return {
    order,
    setting,
    violation: findings.violation,
    faults: faults.injected,
    faultedTicks: new Set(faults.injected.map(({ place }) => place.split(' ', 1)[0])).size,
    requests: world.requests.count,
    situations: findings.situations,
    lines,
    fingerprint: () =>
      createHash('sha256')
        .update(JSON.stringify([lines, exchanged]))
        .digest('hex'),
  }
}

async function liveThrough(world: World, lambda: Lambda): Promise<void> {
  const { setting, timeline, faults, findings, database, leases, beliefs, effects, billing } = world
  const check = () => {
    beliefs.check()
    return findings.violation === undefined
  }
  for (let tick = 1; tick <= setting.ticks; tick++) {
    const tickMs = START_MS + tick * setting.periodMs
    schedule(world, lambda, tick, tickMs)
    timeline.at(tickMs - 1, undefined, () => {
      billing?.fallDue(setting.seed, tick, tick < setting.ticks - 1)
      billing?.judgeCharges()
      database.expire(timeline.nowMs)
      leases.swept()
    })
  }
  const lastMs = START_MS + (setting.ticks + 1) * setting.periodMs
  timeline.at(lastMs, undefined, () => {
    faults.end()
    world.tell('nothing goes wrong any more')
  })
  await timeline.run(Number.POSITIVE_INFINITY, check)
  judgeTicks(world, lambda.deliveries)
  if (findings.violation !== undefined) return

  lambda.reclaimAll()
  const quietMs = Math.ceil(timeline.nowMs / setting.periodMs) * setting.periodMs + 3_600_000
  // One to catch up with what was left, where something may be; the last one is looked at closely.
  const cleanTicks = billing === undefined ? 1 : 2
  for (let nth = 1; nth <= cleanTicks; nth++) {
    schedule(world, lambda, setting.ticks + nth, quietMs + nth * setting.periodMs)
  }
  database.expire(quietMs)
  leases.swept()
  await timeline.run(Number.POSITIVE_INFINITY, check)
  if (findings.violation !== undefined) return
  const last = setting.ticks + cleanTicks
  judgeCleanTick(
    world,
    lambda.deliveries.filter(({ tick }) => tick === last),
  )
  if (setting.work === 'completion') effects.judgeCompletions()
  billing?.judgeCharges()
  billing?.judgeLedger()
}

/** Every candidate's schedule fires for the tick, each in its own phase; some events come late, and some twice. */
function schedule(world: World, lambda: Lambda, tick: number, tickMs: number): void {
  const { setting, timeline, faults, findings } = world
  for (const candidate of setting.candidates) {
    const label = `t${tick} ${candidate.name}`
    const random = new Random(setting.seed, `event ${label}`)
    const firesMs = tickMs + candidate.phaseMs
    const event = {
      // EventBridge Scheduler says its time in whole seconds.
      tick: `${new Date(firesMs).toISOString().slice(0, 19)}Z`,
      periodMs: setting.periodMs,
      schedule: candidate.name,
    }
    const requestId = random.uuid()
    const arrivesMs = firesMs + random.between(1_000, 1_250)
    const late = faults.draw('event late', label, arrivesMs)
    const lateMs = late === undefined ? 0 : late.random.between(1, 4) * setting.periodMs
    if (late !== undefined) findings.reached('event delivered a period late')
    const deliver = (called: string, atMs: number) => {
      timeline.at(atMs, undefined, () =>
        lambda.deliver({ label: called, tick, candidate, requestId, event, tries: [] }),
      )
    }
    deliver(label, arrivesMs + lateMs)
    const doubled = faults.draw('event doubled', label, arrivesMs)
    if (doubled === undefined) continue
    findings.reached('event delivered twice')
    deliver(`${label} again`, arrivesMs + lateMs + doubled.random.spread(5, 120_000))
  }
}
