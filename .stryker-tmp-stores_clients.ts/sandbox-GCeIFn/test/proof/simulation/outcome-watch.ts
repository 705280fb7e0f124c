/** Checks what invocations answer, and what became of each tick (S4, L2, L3, L4). */
// @ts-nocheck

import { ClockSkewError, LeaseError, LeaseStillHeldError } from '../../../functions/election/index.ts'
import { isObject } from '../../../functions/election/testing/dynamodb/values.ts'
import type { Invocation } from './lambda.ts'
import { SKEW_MS } from './setting.ts'
import type { World } from './world.ts'

export function checkInvocation(world: World, invocation: Invocation): void {
  const { leases, requests } = world
  const { label, answer, error, state, delivery } = invocation
  const { holder } = leases
  world.log(`${label} ${describeEnd(invocation)}`)
  invocation.heldBy = holder
  if (state === 'killed') return
  // An invocation cannot know of a copy that was granted after it had given up.
  const holdsLease =
    holder?.isUnclaimed === false &&
    holder.holder.endsWith(delivery.requestId) &&
    requests.attempts.get(holder.attempt)?.by === label
  if (holdsLease && (error instanceof LeaseStillHeldError || fields(answer)['reason'] === 'held')) {
    world.broken('L3', `${label} takes its own win for another candidate's: it holds the lease and does not work`)
  }
  if (state === 'answered') return void checkAnswer(world, invocation)
  if (error instanceof ClockSkewError) checkClockSkew(world, invocation, error)
}

function describeEnd({ state, answer, error }: Invocation): string {
  if (state === 'answered') return `answers ${JSON.stringify(answer)}`
  return error instanceof Error ? `${state}, ${error.name}` : state
}

function checkAnswer(world: World, invocation: Invocation): void {
  const { leases } = world
  const { label, delivery, environment } = invocation
  const { status, reason, holder, fencingToken } = fields(invocation.answer)
  if (status === 'standby') {
    checkStandby(world, invocation, String(reason))
    if (reason === 'held' && holder === undefined) world.continuations.stoodBy(label, delivery)
    if (reason === 'held' && world.setting.entry !== 'standalone' && String(holder).endsWith(delivery.requestId)) {
      world.broken('L3', `${label} stands by while an earlier try of its event holds the lease: the tick is lost`)
    }
    return
  }
  const tenure = leases.tenures.get(Number(fencingToken))
  const isItsOwn = tenure?.process === environment.process
  if (status === 'released' && (!isItsOwn || tenure.ended !== 'released')) {
    world.wrong(`${label} reports a release that did not happen`)
  }
  if (status === 'continued') world.continuations.reported(label, tenure)
  if (status !== 'completed') return
  if (!isItsOwn || leases.completed.get(tenure.period)?.tenure !== tenure) {
    world.broken('S4', `${label} reports a completion with token ${fencingToken} that did not happen`)
  }
  const isOfDead = ({ state, task }: Invocation) => state === 'killed' && task === 'running'
  world.reached('retry completed the tick of a leader that died', delivery.tries.some(isOfDead))
}

/** A false reason would lose the tick: a candidate whose tick is done does not try again. */
function checkStandby(world: World, { label, delivery }: Invocation, reason: string): void {
  const { leases, setting } = world
  if (reason === 'superseded' || reason === 'contended' || reason === 'paused') world.reached(`standby: ${reason}`)
  world.reached('standby: completed before a slower racer', reason === 'tickDone' && delivery.tries.length === 1)
  const period = Math.floor(Date.parse(delivery.event.tick) / setting.periodMs)
  const isLater = reason === 'superseded' && [...leases.tenures.values()].some((tenure) => tenure.period > period)
  if ((reason === 'tickDone' || reason === 'superseded') && period > leases.highestCompleted && !isLater) {
    world.broken('L3', `${label} stands by as ${reason}, but its tick is not done, and no later one was led`)
  }
}

/** A candidate whose clock kept the budget may learn that another's is wrong, but not that its own is. */
function checkClockSkew(world: World, { label, environment }: Invocation, { message }: ClockSkewError): void {
  const { faults, requests, setting } = world
  const { offsetMs } = environment.process
  const isAboutItself = message.startsWith(ITS_OWN_CLOCK)
  if (setting.sharedProcesses || !isAboutItself || Math.abs(offsetMs) > SKEW_MS / 2) return
  // It may have been wrong while the answer was under way.
  if (faults.injected.some(({ kind, place }) => kind.startsWith('clock') && place === label)) return
  if ([...requests.attempts.values()].some((attempt) => attempt.by === label && attempt.offsetMs !== offsetMs)) return
  world.wrong(`${label} learns that its clock is wrong, which is only ${offsetMs} ms off`)
}

/**
 * Each tick is completed in the end, unless
 * - a later tick was completed or led first: then it is missed for that leader (lease-watch.ts, L4),
 * - its task gave it up on purpose, or
 * - at the last try of each of its events there was a fault or an obstacle: another candidate held the lease, a
 *   transaction locked its row, or a wrong clock had written it (docs/protocol.md, What remains open).
 */
export function checkTicks(world: World): void {
  const { leases, setting, lambda } = world
  if (!setting.heartbeat) return // a task may take longer than its lease, every time
  for (const [tick, ofTick] of Map.groupBy(lambda.deliveries, (delivery) => delivery.event.tick)) {
    const period = Math.floor(Date.parse(tick) / setting.periodMs)
    const tries = ofTick.flatMap((delivery) => delivery.tries)
    const wasGivenUp = tries.some(({ answer }) => fields(answer)['status'] === 'released')
    if (wasGivenUp || leases.completed.has(period)) continue
    const lastTries = ofTick.flatMap((delivery) => delivery.tries.at(-1) ?? [])
    const endedMs = Math.max(...lastTries.map((last) => last.endedMs ?? 0))
    const isSuperseded = [...leases.completed].some(([later, { atMs }]) => later > period && atMs <= endedMs)
    if (isSuperseded || !lastTries.some((last) => wasUnobstructed(world, last))) continue
    world.broken('L3', `the tick ${tick} was never completed, though nothing obstructed a last try`)
  }
}

const ITS_OWN_CLOCK = "This machine's clock"
const LASTING_FAULTS = ['cut off', 'cut off while giving up', 'clock set', 'clock wrong', 'clock drifts']

/** No fault happened in this try, or earlier in its process, and no other candidate held the lease. */
function wasUnobstructed({ faults, setting }: World, last: Invocation): boolean {
  const { label, environment, heldBy, delivery } = last
  // A double of the event has the same request id, and tries of its own.
  const isHeldByOther = heldBy !== undefined && heldBy.invocation?.delivery !== delivery
  const { reason, status } = fields(last.answer)
  if (isHeldByOther || setting.sharedProcesses) return false
  if (['held', 'superseded', 'contended', 'paused'].includes(String(reason)) || status === 'continued') return false
  // A row that a wrong clock wrote keeps all others out until they come near its time.
  const isOtherClock = last.error instanceof ClockSkewError && !last.error.message.startsWith(ITS_OWN_CLOCK)
  if (isOtherClock && faults.injected.some(({ kind }) => kind.startsWith('clock'))) return false
  // Its task took too long, for example because it waited for the lease, or it failed by itself.
  if (last.state === 'killed' || (last.error !== undefined && !(last.error instanceof LeaseError))) return false
  const isInProcess = (place: string) =>
    place.includes(` ${delivery.candidate.name}`) || place.includes(environment.process.name)
  return !faults.injected.some(
    ({ place, kind }) => place.startsWith(label) || (LASTING_FAULTS.includes(kind) && isInProcess(place)),
  )
}

/** A tick without faults: one candidate completes it, and the others stand by. */
export function checkCleanTick(world: World, tick: number): void {
  const invocations = world.lambda.deliveries.filter((one) => one.tick === tick).flatMap(({ tries }) => tries)
  const winners = invocations.filter(({ answer }) => fields(answer)['status'] === 'completed')
  if (winners.length !== 1) {
    const ends = invocations.map((invocation) => `${invocation.label} ${describeEnd(invocation)}`)
    const what = `long after the last fault, a tick was completed ${winners.length} times: ${ends.join('; ')}`
    world.broken(winners.length === 0 ? 'L2' : 'S4', what)
  }
  for (const invocation of invocations) {
    if (['completed', 'continued', 'standby'].includes(String(fields(invocation.answer)['status']))) continue
    world.wrong(`${invocation.label} should stand by, but ${describeEnd(invocation)}`)
  }
}

function fields(answer: unknown): Readonly<Record<string, unknown>> {
  return isObject(answer) ? answer : {}
}
