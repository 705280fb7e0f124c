/** One history: a world is made from a seed, runs through its ticks with faults, and is then checked. */
import { enter } from './globals.ts'
import { checkCleanTick, checkTicks } from './outcome-watch.ts'
import { Random } from './random.ts'
import { START_MS } from './setting.ts'
import { type Order, World } from './world.ts'

export async function runHistory(order: Order): Promise<World> {
  const world = new World(order)
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0 // the SDK makes many errors, and their stacks take a tenth of the time
  const onUnhandled = (reason: unknown) => world.wrong(`unhandled rejection: ${String(reason)}`)
  process.on('unhandledRejection', onUnhandled)
  enter(world.timeline)
  try {
    // Rejects with errors of the simulation itself, such as an invalid request to DynamoDB.
    await runTicks(world).catch((error: unknown) => world.wrong(String(error)))
    await new Promise((resolve) => setImmediate(resolve)) // Node reports unhandled rejections then
  } finally {
    process.off('unhandledRejection', onUnhandled)
    enter(undefined)
    Error.stackTraceLimit = stackTraceLimit
  }
  return world
}

async function runTicks(world: World): Promise<void> {
  const { setting, timeline, faults, lambda, leases, beliefs, effects, billing } = world
  const isUnbroken = () => {
    beliefs.check()
    return world.violation === undefined
  }
  for (let tick = 1; tick <= setting.ticks; tick++) {
    const tickMs = START_MS + tick * setting.periodMs
    schedule(world, tick, tickMs)
    timeline.at(tickMs - 1, undefined, () => {
      billing?.addDueSubscriptions(tick)
      billing?.checkCharges()
      expireRows(world)
    })
  }
  timeline.at(START_MS + (setting.ticks + 1) * setting.periodMs, undefined, () => {
    faults.isOver = true
    world.log('no new faults from here on')
  })
  await timeline.run(isUnbroken)
  checkTicks(world)
  if (world.violation !== undefined) return

  lambda.reclaimAll()
  const quietMs = Math.ceil(timeline.nowMs / setting.periodMs) * setting.periodMs + 3_600_000
  // Billing needs a tick for what earlier ones left; the last tick is checked.
  const cleanTicks = billing === undefined ? 1 : 2
  const last = setting.ticks + cleanTicks
  for (let nth = 1; nth <= cleanTicks; nth++) {
    schedule(world, setting.ticks + nth, quietMs + nth * setting.periodMs)
  }
  timeline.at(quietMs, undefined, () => expireRows(world))
  await timeline.run(isUnbroken)
  if (world.violation !== undefined) return
  checkCleanTick(world, last)
  leases.checkRowExists()
  if (setting.work === 'completion') effects.checkCompletions()
  billing?.checkCharges()
  billing?.checkLedger()
}

function expireRows({ database, timeline, leases }: World): void {
  database.expire(timeline.nowMs)
  leases.checkRowExists()
}

/** Fires every candidate's schedule for the tick, each in its own phase; some events come late, and some twice. */
function schedule(world: World, tick: number, tickMs: number): void {
  const { setting, timeline, faults, lambda } = world
  const { periodMs } = setting
  for (const candidate of setting.candidates) {
    const label = `t${tick} ${candidate.name}`
    const random = new Random(setting.seed, `event ${label}`)
    const firesMs = tickMs + candidate.phaseMs
    // EventBridge Scheduler gives its time in whole seconds.
    const event = { tick: `${new Date(firesMs).toISOString().slice(0, 19)}Z`, periodMs, schedule: candidate.name }
    const requestId = random.uuid()
    const late = faults.draw('event late', label)
    const arrivesMs = firesMs + random.between(1_000, 1_250) + (late?.random.between(1, 4) ?? 0) * periodMs
    if (late !== undefined) world.reached('event delivered a period late')
    const deliver = (name: string, atMs: number) => {
      timeline.at(atMs, undefined, () => lambda.deliver({ label: name, tick, candidate, requestId, event, tries: [] }))
    }
    deliver(label, arrivesMs)
    const doubled = faults.draw('event doubled', label)
    if (doubled === undefined) continue
    world.reached('event delivered twice')
    deliver(`${label} again`, arrivesMs + doubled.random.spread(5, 120_000))
  }
}
