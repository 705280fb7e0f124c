/** Checks leaders that believe that they lead (S1), and what the lease says about earlier leaders. */
// @ts-nocheck

import type { ElectionEvent, Lease } from '../../../functions/election/index.ts'
import { isObject } from '../../../functions/election/testing/dynamodb/values.ts'
import type { Invocation } from './lambda.ts'
import { nameOf, type Tenure } from './records.ts'
import { isProvablyWrong } from './request-watch.ts'
import type { World } from './world.ts'

export class BeliefWatch {
  readonly #world: World
  #believers: Tenure[] = []

  constructor(world: World) {
    this.#world = world
  }

  taskBegins(invocation: Invocation, lease: Lease): void {
    const { label, environment } = invocation
    const { process } = environment
    const tenure = this.#world.leases.tenures.get(lease.fencingToken)
    if (tenure?.process !== process) {
      this.#world.broken('S1', `${label} leads with token ${lease.fencingToken}, which it was never granted`)
      return
    }
    if (lease.remainingMs() === 0) this.#world.broken('S1', `${label} begins its task after its own deadline`)
    const attempt = this.#world.requests.attempts.get(tenure.attempt)
    if (attempt !== undefined && isProvablyWrong(attempt, process, process.wallMs() - process.offsetMs)) {
      this.#world.wrong(`${label} begins its task though its clock is ${attempt.offsetMs} ms off`)
    }
    tenure.invocation = invocation
    tenure.lease = lease
    this.#believers.push(tenure)
    this.#checkCheckpoints(label, lease)
    this.#world.continuations.taskBegins(label, lease, tenure)
    const { leases, setting } = this.#world
    if (lease.fencingToken !== leases.highestToken) return // what it learned may have changed
    const closed = lease.missed.find((tick) => leases.completed.has(Date.parse(tick) / setting.periodMs))
    if (closed !== undefined) this.#world.broken('L4', `${label} misses ${closed}, which is completed`)
  }

  taskRequestsEnd({ fencingToken }: Lease, how: 'release' | 'complete' | 'handOver'): void {
    const tenure = this.#world.leases.tenures.get(fencingToken)
    if (tenure !== undefined) tenure.requestedEnd = how
  }

  /** L3: a leader that takes itself for replaced leaves its tick undone, or reports a finished one as lost. */
  electionEvent(event: ElectionEvent): void {
    if (event.kind !== 'lost' || !/was taken over/.test(event.error.message)) return
    const tenure = this.#world.leases.tenures.get(event.fencingToken)
    const isNewest = event.fencingToken === this.#world.leases.highestToken
    if (tenure === undefined || !isNewest || (tenure.ended !== undefined && tenure.ended !== 'completed')) return
    this.#world.broken('L3', `${nameOf(tenure)} learned that it was replaced, but it was not`)
  }

  /** Called after every event. A frozen leader counts again when it wakes. */
  check(): void {
    if (this.#believers.length === 0) return
    const isOver = ({ process, untilMonotonicMs, lease }: Tenure) =>
      process.state === 'dead' || (untilMonotonicMs <= process.monotonicMs() && lease?.remainingMs() === 0)
    this.#believers = this.#believers.filter((tenure) => tenure.process.state === 'frozen' || !isOver(tenure))
    const believing = this.#believers.filter(
      ({ process, lease }) => process.state !== 'frozen' && lease !== undefined && lease.remainingMs() > 0,
    )
    for (const tenure of believing) this.#checkDeadline(tenure)
    const [one, two] = believing.filter(({ hasWrongClock }) => !hasWrongClock)
    if (one !== undefined && two !== undefined) {
      this.#world.broken('S1', `${nameOf(two)} and ${nameOf(one)} both believe that they lead`)
    }
  }

  #checkDeadline(tenure: Tenure): void {
    const { process, untilMonotonicMs, untilWallMs, lease } = tenure
    const believedMs = lease?.remainingMs() ?? 0
    const leftMs = Math.min(untilMonotonicMs - process.monotonicMs(), untilWallMs - process.wallMs())
    if (believedMs <= leftMs + 1) return
    this.#world.broken(
      'S1',
      `${nameOf(tenure)} believes in ${believedMs} ms more, but from its clock before the request it has ${leftMs} ms`,
    )
  }

  #checkCheckpoints(label: string, { tick = '', checkpoint, unfinished }: Lease): void {
    const works = `${label} works on ${tick}`
    if (checkpoint !== undefined) {
      this.#world.reached('checkpoint inherited')
      const saved = tickIn(checkpoint)
      if (saved !== tick) this.#world.wrong(`${works}, but is offered the checkpoint of ${saved}`)
    }
    if (unfinished === undefined) return
    this.#world.reached('unfinished tick inherited')
    const saved = tickIn(unfinished.state)
    if (saved === unfinished.tick && unfinished.tick < tick) return
    this.#world.wrong(`${works}, and is offered ${unfinished.tick} as unfinished, with the state of ${saved}`)
  }
}

/** Tasks save the tick along with their state. */
function tickIn(state: unknown): string {
  return isObject(state) ? String(state['tick']) : 'no tick'
}
