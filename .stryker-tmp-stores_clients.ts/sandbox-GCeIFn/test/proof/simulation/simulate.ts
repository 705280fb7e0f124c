// @ts-nocheck
import './globals.ts' // before modules that keep a clock
import type { Result, Violation } from '../result.ts'
import { within } from './globals.ts'
import { checkCleanTick, checkTicks } from './outcome-watch.ts'
import { Random } from './random.ts'
import { START_MS } from './setting.ts'
import { SITUATIONS, type Situation } from './situations.ts'
import { type Order, World } from './world.ts'

/** Of one core. A shorter history is not worth a longer wait. */
const SHRINK_SECONDS = 30

interface Options {
  readonly from: number
  readonly seeds: number
  /** Whether the history that breaks a claim is made as short as possible. @default true */
  readonly shrinks?: boolean
}

/** Runs one history for each seed from `from` on, and stops at the first that breaks a claim. */
export async function simulate({ from, seeds, shrinks = true }: Options) {
  const reached = new Map<Situation, number>()
  const figures = { histories: 0, ticks: 0, 'ticks with faults': 0, faults: 0, requests: 0 }
  const violations: Violation[] = []
  for (let seed = from; seed < from + seeds && violations.length === 0; seed++) {
    const world = await runHistory({ seed })
    const { setting, faults, requests, situations, violation } = world
    figures.histories++
    figures.ticks += setting.ticks
    figures['ticks with faults'] += new Set(faults.injected.map(({ place }) => place.split(' ', 1)[0])).size
    figures.faults += faults.injected.length
    figures.requests += requests.count
    for (const [situation, times] of situations) reached.set(situation, (reached.get(situation) ?? 0) + times)
    if (violation !== undefined)
      violations.push(explained(shrinks ? await shrink(world, runWithin(SHRINK_SECONDS)) : world))
  }
  const result: Result = {
    violations,
    figures: { ...figures, 'rare situations reached': `${reached.size} of ${SITUATIONS.length}` },
    seenToBreak: [],
  }
  return { ...result, unreached: SITUATIONS.filter((situation) => !reached.has(situation)) }
}

function explained({ order, setting, lines, violation = { what: 'nothing' } }: World): Violation {
  const faults = order.only === undefined ? 'all its faults' : `only the faults ${[...order.only].join(', ')}`
  const repeat = `Repeat: npm run proof simulation -- --seed ${order.seed} --seeds 1`
  return { ...violation, trace: [repeat, `The history has ${setting.ticks} ticks and ${faults}`, ...lines] }
}

/** Runs histories until that much CPU time is used up. */
function runWithin(seconds: number): (order: Order) => Promise<World | undefined> {
  const startedAt = process.cpuUsage()
  return async (order) => {
    const { user, system } = process.cpuUsage(startedAt)
    return (user + system) / 1e6 > seconds ? undefined : await runHistory(order)
  }
}

interface Failed extends Pick<World, 'order' | 'violation'> {
  readonly setting: { readonly ticks: number }
  readonly faults: { readonly injected: readonly { readonly id: number }[] }
}

/**
 * Makes a failed history short: as few ticks, and then as few faults, as still break the same claim.
 *
 * @param run returns undefined once enough time was spent
 */
export async function shrink<History extends Failed>(
  failed: History,
  run: (order: Order) => Promise<History | undefined>,
): Promise<History> {
  const { seed } = failed.order
  let best = failed
  const fails = async (order: Order) => {
    const history = await run(order)
    if (history?.violation === undefined || history.violation.claim !== failed.violation?.claim) return false
    best = history
    return true
  }
  for (let ticks = 1; ticks < failed.setting.ticks; ticks++) if (await fails({ seed, ticks })) break
  const { ticks } = best.setting
  const idsOf = ({ faults }: Failed) => faults.injected.map(({ id }) => id)
  // Delta debugging (Zeller and Hildebrandt, 2002): leaves out ever smaller groups of faults.
  for (let size = idsOf(best).length; size >= 1; size = Math.floor(size / 2)) {
    const ids = idsOf(best)
    for (let from = 0; from < ids.length; from += size) {
      const group = ids.slice(from, from + size)
      await fails({ seed, ticks, only: new Set(idsOf(best).filter((id) => !group.includes(id))) })
    }
  }
  return best
}

export async function runHistory(order: Order): Promise<World> {
  const world = new World(order)
  await within(
    world.timeline,
    () => runTicks(world),
    (what) => world.wrong(what),
  )
  return world
}

async function runTicks(world: World): Promise<void> {
  const { setting, timeline, faults, lambda, beliefs, effects, billing } = world
  const isUnbroken = () => {
    beliefs.check()
    return world.violation === undefined
  }
  for (let tick = 1; tick <= setting.ticks; tick++) {
    const tickMs = START_MS + tick * setting.periodMs
    schedule(world, tick, tickMs)
    world.operator.mayPause(tick, tickMs)
    timeline.at(tickMs - 1, undefined, () => {
      billing?.addDueSubscriptions(tick)
      billing?.checkCharges()
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
  await timeline.run(isUnbroken)
  if (world.violation !== undefined) return
  checkCleanTick(world, last)
  if (setting.work === 'completion') effects.checkCompletions()
  billing?.checkCharges()
  billing?.checkLedger()
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
    const arrivesMs = firesMs + random.between(1_000, 1_250) + (late?.between(1, 4) ?? 0) * periodMs
    const deliver = (name: string, atMs: number) => {
      timeline.at(atMs, undefined, () => lambda.deliver({ label: name, tick, candidate, requestId, event, tries: [] }))
    }
    deliver(label, arrivesMs)
    const doubled = faults.draw('event doubled', label)
    if (doubled === undefined) continue
    deliver(`${label} again`, arrivesMs + doubled.spread(5, 120_000))
  }
}
