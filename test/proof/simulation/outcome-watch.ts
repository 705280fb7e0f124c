/** Judges what invocations answer, and what became of each tick. */
import { ClockSkewError, LeaseError, LeaseLostError, LeaseStillHeldError } from '../../../functions/election/index.ts'
import type { Delivery, Invocation } from './lambda.ts'
import { SKEW_MS } from './setting.ts'
import type { World } from './world.ts'

export function judgeInvocation(world: World, invocation: Invocation): void {
  const { findings, leases, requests } = world
  const { label, answer, error, state, task, delivery } = invocation
  world.tell(
    `${label} ${state === 'answered' ? `answers ${JSON.stringify(answer)}` : `${state}${error instanceof Error ? `, ${error.name}` : ''}`}`,
  )
  invocation.heldBy = leases.holder
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
    if (error instanceof ClockSkewError) {
      findings.reached('ClockSkewError')
      judgeSkew(world, invocation, error)
    }
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
    if (reason === 'tickDone' && delivery.tries.length === 1)
      findings.reached('standby: completed before a slower racer')
    judgeReason(world, invocation, String(reason))
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

/** What is said of the tick must be true: nobody tries again whose tick is done. */
function judgeReason({ findings, leases, requests, setting }: World, invocation: Invocation, reason: string): void {
  const { label, delivery } = invocation
  const period = Math.floor(Date.parse(delivery.event.tick) / setting.periodMs)
  if ((reason === 'tickDone' || reason === 'superseded') && period > leases.highestCompleted) {
    findings.broken('L3', `${label} stands by as ${reason}, but neither its tick nor a later one is done`)
  }
  if (reason === 'contended' && !setting.sharedProcesses && !requests.inConflict.has(label)) {
    findings.broken('L3', `${label} stands by as contended, but no transaction was in its way`)
  }
}

/** A candidate whose clock kept the budget may be told that another's was wrong, but not that its own was. */
function judgeSkew(
  { faults, findings, requests, setting }: World,
  { label, environment }: Invocation,
  { message }: ClockSkewError,
): void {
  if (setting.sharedProcesses) return
  const wasSet = faults.injected.some(({ kind, place }) => kind.startsWith('clock') && place === label)
  if (wasSet) return // it may have been wrong for as long as the answer was under way
  const { offsetMs } = environment.process
  const asked = [...requests.asked.values()].filter(({ by }) => by === label)
  const blamesItself = message.startsWith("This machine's clock")
  if (!blamesItself || asked.some((one) => one.offsetMs !== offsetMs)) return
  if (Math.abs(offsetMs) <= SKEW_MS / 2)
    findings.wrong(`${label} is told that its clock is wrong, which is only ${offsetMs} ms off`)
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
 * - at the last try of each of its events something went wrong or was in the way: another had the lease, on whom it depends then, or
 *   a transaction its row (docs/protocol.md, What remains).
 */
export function judgeTicks(world: World, deliveries: readonly Delivery[]): void {
  const { findings, leases, setting } = world
  if (!setting.heartbeat) return // a task may take longer than its lease, every time
  for (const [tick, ofTick] of Map.groupBy(deliveries, (delivery) => delivery.event.tick)) {
    const period = Math.floor(Date.parse(tick) / setting.periodMs)
    if (leases.completed.has(period)) continue
    const tries = ofTick.flatMap((delivery) => delivery.tries)
    if (tries.some(({ answer }) => fields(answer)['status'] === 'released')) continue
    const lastTries = ofTick.flatMap((delivery) => delivery.tries.at(-1) ?? [])
    const endedMs = Math.max(...lastTries.map((last) => last.endedMs ?? 0))
    const isWorthless = [...leases.completedAtMs].some(([later, atMs]) => later > period && atMs <= endedMs)
    if (isWorthless || !lastTries.some((last) => wasInPeace(world, last))) continue
    const died = tries.find(({ state, task }) => state === 'killed' && task === 'running')
    const whose = died === undefined ? '' : `, whose leader ${died.label} died,`
    findings.broken('L3', `the tick ${tick}${whose} was never completed, though a last try had nothing in its way`)
  }
}

const LASTING: ReadonlySet<string> = new Set([
  'cut off',
  'cut off while giving up',
  'clock set',
  'clock wrong',
  'clock drifts',
])

/** Nothing went wrong in this try itself, nor before it in its process, and the lease was not another's. */
function wasInPeace({ faults, setting }: World, last: Invocation): boolean {
  const { label, environment, heldBy, delivery } = last
  // A double of the event has the same request id, and tries of its own.
  const isOthers = heldBy !== undefined && heldBy.invocation?.delivery !== delivery
  const { reason } = fields(last.answer)
  if (isOthers || setting.sharedProcesses || reason === 'held' || reason === 'contended') return false
  // Its task took too long, perhaps since it had waited for the lease, or failed by itself.
  if (last.state === 'killed' || (last.error !== undefined && !(last.error instanceof LeaseError))) return false
  const { name } = delivery.candidate
  return !faults.injected.some(
    ({ place, kind }) =>
      place.startsWith(label) ||
      (LASTING.has(kind) && (place.includes(` ${name}`) || place.includes(environment.process.name))),
  )
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
    findings.broken(
      won.length === 0 ? 'L2' : 'S4',
      `long after the last fault, a tick was completed ${won.length} times: ${told.join('; ')}`,
    )
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
