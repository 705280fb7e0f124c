/** Judges what invocations answer, and what became of each tick. */
import { ClockSkewError, LeaseLostError, LeaseStillHeldError } from '../../functions/election/index.ts'
import type { Delivery, Invocation } from './lambda.ts'
import type { World } from './world.ts'

export function judgeInvocation(world: World, invocation: Invocation): void {
  const { findings, leases, requests } = world
  const { label, answer, error, state, task, delivery } = invocation
  world.tell(
    `${label} ${state === 'answered' ? `answers ${JSON.stringify(answer)}` : `${state}${error instanceof Error ? `, ${error.name}` : ''}`}`,
  )
  if (state === 'killed') {
    const tenure = leases.holder
    if (tenure?.invocation === invocation && requests.isCompleting(tenure)) {
      findings.reached('leader died while its completion was under way')
    }
    return
  }
  const { holder } = leases
  // Where a copy won that came when all was said, for nobody, the call that it was part of cannot know.
  const isLostOnItself =
    holder?.isGhost === false &&
    holder.holder.endsWith(delivery.requestId) &&
    requests.asked.get(holder.attempt)?.by === label
  if (isLostOnItself && (error instanceof LeaseStillHeldError || fields(answer)['reason'] === 'held')) {
    findings.broken('L3', `${label} takes its own win for another's: it holds the lease and does not work`)
  }
  if (state === 'failed') {
    if (error instanceof ClockSkewError) findings.reached('ClockSkewError')
    if (error instanceof LeaseLostError && task === 'not begun')
      findings.reached('answer to an acquire came after its own deadline')
    if (task === 'running') findings.reached('early time-out while the task still ran')
    if (error instanceof Error && error.name === 'TaskError') findings.reached('lease released by a failed task')
    return
  }
  const { status, reason, holder: named, fencingToken } = fields(answer)
  if (status === 'standby') {
    if (reason === 'held') findings.reached('standby: held')
    if (reason === 'superseded') findings.reached('standby: superseded')
    if (reason === 'contended') findings.reached('standby: contended')
    if (reason === 'completed' && delivery.tries.length === 1)
      findings.reached('standby: completed before a slower racer')
    const isOwn = world.setting.entry !== 'standalone' && String(named).endsWith(delivery.requestId)
    if (reason === 'held' && isOwn) {
      findings.broken(
        'L3',
        `${label} stands by, though an earlier try of its own event holds the lease: the tick is lost`,
      )
    }
    return
  }
  const tenure = leases.tenures.get(Number(fencingToken))
  const isItsOwn = tenure?.process === invocation.environment.process
  if (status === 'completed' && !(isItsOwn && leases.completed.get(tenure.period) === tenure)) {
    findings.broken(
      'S4',
      `${label} says that it completed its tick with token ${fencingToken}, but that is not what happened`,
    )
  }
  if (status === 'released') {
    findings.reached('lease given up by its task')
    if (!isItsOwn || tenure.ended !== 'released')
      findings.wrong(`${label} says that it released its lease, but it did not`)
  }
  if (status === 'completed') situationOfCompletion(world, invocation)
}

function situationOfCompletion({ findings, setting, requests }: World, { label, delivery }: Invocation): void {
  const earlier = delivery.tries.slice(0, -1)
  if (earlier.some(({ error }) => error instanceof LeaseStillHeldError)) {
    findings.reached('LeaseStillHeldError, and a retry completed the tick')
  }
  if (earlier.some(({ state, task }) => state === 'killed' && task === 'running')) {
    findings.reached('retry completed the tick of a leader that died')
  }
  const asked = requests.requestsOf(label).filter((kind) => kind === 'acquire').length
  if (setting.waitMs > 0 && asked > 2) findings.reached('waited for a held lease and led')
}

/**
 * Each tick is done in the end, unless there is a reason for it:
 * - a later tick was done first, so that this one is worthless;
 * - its task gave it up on purpose;
 * - the last word on it was spoken while something was going wrong.
 * Where all its tries stood by in peace, somebody else must have done it.
 */
export function judgeTicks(world: World, deliveries: readonly Delivery[]): void {
  const { findings, leases, setting, faults } = world
  const ticks = new Set(deliveries.map(({ tick }) => tick))
  for (const tick of ticks) {
    const ofTick = deliveries.filter((delivery) => delivery.tick === tick)
    const period = Math.floor(Date.parse(ofTick[0]?.event.tick ?? '') / setting.periodMs)
    if (period <= leases.highestCompleted) continue
    if (ofTick.some(({ tries }) => tries.some(({ answer }) => fields(answer)['status'] === 'released'))) continue
    const lastTries = ofTick.flatMap(({ tries }) => tries.at(-1) ?? [])
    const inPeace = lastTries.every(
      ({ startedMs, endedMs = 0 }) =>
        !faults.injected.some(({ atMs }) => atMs > startedMs - 300_000 && atMs <= endedMs),
    )
    // Without a heartbeat a task may take longer than its lease, every time.
    if (!inPeace || !setting.heartbeat) continue
    const died = ofTick
      .flatMap(({ tries }) => tries)
      .find(({ state, task }) => state === 'killed' && task === 'running')
    const whose = died === undefined ? '' : `, whose leader ${died.label} died`
    findings.broken(
      'L3',
      `the tick ${ofTick[0]?.event.tick}${whose}, was never completed, though nothing went wrong at the last tries of its events`,
    )
  }
}

/** A tick in which nothing goes wrong: one completes it, all others stand by, and no request is sent that need not be. */
export function judgeCleanTick(world: World, deliveries: readonly Delivery[]): void {
  const { findings, setting } = world
  const invocations = deliveries.flatMap(({ tries }) => tries)
  const won = invocations.filter(({ answer }) => fields(answer)['status'] === 'completed')
  const [winner] = won
  if (won.length !== 1 || winner === undefined) {
    const told = invocations.map(
      ({ label, state, answer, error }) => `${label} ${state} ${JSON.stringify(answer ?? String(error))}`,
    )
    findings.broken('L2', `long after the last fault, a tick was completed ${won.length} times: ${told.join('; ')}`)
    return
  }
  const others = invocations.filter((invocation) => invocation !== winner)
  const odd = others.find(({ answer }) => fields(answer)['status'] !== 'standby')
  if (odd !== undefined)
    findings.wrong(`${odd.label} should stand by, but ${odd.state} ${JSON.stringify(odd.answer ?? String(odd.error))}`)
  for (const invocation of invocations) {
    const expected = invocation === winner ? 'acquire, complete' : 'acquire'
    const sent = world.requests
      .requestsOf(invocation.label)
      .filter((kind) => kind !== 'saveCheckpoint' && kind !== 'guard')
    if (setting.waitMs > 0 && invocation !== winner) continue
    if (setting.work === 'guard' || setting.work === 'completion') continue // transactions make the others ask again
    if (sent.join(', ') !== expected) {
      findings.wrong(
        `${invocation.label} needed these requests on the lease: ${sent.join(', ')}; ${expected} would have done`,
      )
    }
  }
}

function fields(answer: unknown): Readonly<Record<string, unknown>> {
  return typeof answer === 'object' && answer !== null ? { ...answer } : {}
}
