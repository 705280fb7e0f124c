/** Watches those who believe that they lead: whether they may, and what they are told about earlier leaders. */
import type { ElectionEvent, Lease } from '../../../functions/election/index.ts'
import type { Findings } from './findings.ts'
import type { Invocation } from './lambda.ts'
import type { SimulatedProcess } from './process.ts'
import { type Asked, isCertainlyWrong } from './request-watch.ts'
import { nameOf, type Tenure } from './tenure.ts'

export class BeliefWatch {
  readonly #tenures: ReadonlyMap<number, Tenure>
  readonly #asked: ReadonlyMap<string, Asked>
  readonly #findings: Findings
  readonly #believers: Tenure[] = []

  constructor(tenures: ReadonlyMap<number, Tenure>, asked: ReadonlyMap<string, Asked>, findings: Findings) {
    this.#tenures = tenures
    this.#asked = asked
    this.#findings = findings
  }

  taskBegins(invocation: Invocation, lease: Lease): void {
    const tenure = this.#tenures.get(lease.fencingToken)
    if (tenure === undefined || tenure.process !== invocation.environment.process) {
      this.#findings.broken(
        'S1',
        `${invocation.label} leads with token ${lease.fencingToken}, which it was never granted`,
      )
      return
    }
    if (lease.remainingMs() === 0) {
      this.#findings.broken('S1', `${invocation.label} begins its task when its own deadline is over`)
    }
    const asked = this.#asked.get(tenure.attempt)
    const { process } = tenure
    if (asked !== undefined && isCertainlyWrong(asked, process, process.wallMs() - process.offsetMs)) {
      this.#findings.wrong(`${invocation.label} begins its task though its clock is ${asked.offsetMs} ms off`)
    }
    tenure.invocation = invocation
    tenure.lease = lease
    this.#believers.push(tenure)
    if (asked?.told === false) {
      this.#findings.reached('own win recognised after a lost reply')
    }
    this.#judgeCheckpoints(invocation, lease)
  }

  /** L3: a leader that takes itself for replaced leaves its tick undone, or reports a finished one as lost. */
  told(event: ElectionEvent): void {
    if (event.kind !== 'lost' || !/was taken over/.test(event.error.message)) return
    const tenure = this.#tenures.get(event.fencingToken)
    const isNewest = event.fencingToken === Math.max(...this.#tenures.keys())
    if (tenure === undefined || !isNewest || (tenure.ended !== undefined && tenure.ended !== 'completed')) return
    this.#findings.broken('L3', `${nameOf(tenure)} is told that it was replaced, but was not`)
  }

  replacedByFence({ label }: Invocation, lease: Lease): void {
    this.#findings.reached('leader lost its lease by a stale write')
    if (!lease.signal.aborted)
      this.#findings.wrong(`${label} knows of a newer leader, and its lease's signal is silent`)
  }

  woke(process: SimulatedProcess): void {
    const wasReplaced = (tenure: Tenure) =>
      tenure.process === process && tenure.invocation?.task === 'running' && tenure.ended === 'replaced'
    if ([...this.#tenures.values()].some(wasReplaced))
      this.#findings.reached('frozen leader woke after its replacement')
  }

  /** After everything that happens: who believes, and may they? */
  check(): void {
    if (this.#believers.length === 0) return
    let leading: Tenure | undefined
    for (let nth = this.#believers.length - 1; nth >= 0; nth--) {
      const tenure = this.#believers[nth]
      if (tenure?.lease === undefined || tenure.process.state === 'dead') {
        this.#believers.splice(nth, 1)
        continue
      }
      if (tenure.process.state === 'frozen') continue // it counts again when it wakes
      const leftMs = tenure.lease.remainingMs()
      if (leftMs === 0) {
        if (tenure.untilMonotonicMs <= tenure.process.monotonicMs()) this.#believers.splice(nth, 1)
        continue
      }
      this.#judgeBelief(tenure, leftMs)
      if (tenure.suspect) continue
      if (leading !== undefined) {
        this.#findings.broken('S1', `${nameOf(tenure)} and ${nameOf(leading)} both believe that they lead`)
      }
      leading = tenure
    }
  }

  #judgeBelief(tenure: Tenure, leftMs: number): void {
    const byMonotonicMs = tenure.untilMonotonicMs - tenure.process.monotonicMs()
    const byWallMs = tenure.untilWallMs - tenure.process.wallMs()
    if (leftMs <= Math.min(byMonotonicMs, byWallMs) + 1) return
    this.#findings.broken(
      'S1',
      `${nameOf(tenure)} believes in another ${leftMs} ms, but counted from before it asked, its lease ends in ${Math.min(byMonotonicMs, byWallMs)} ms`,
    )
  }

  #judgeCheckpoints({ label }: Invocation, { tick = '', checkpoint, unfinished }: Lease): void {
    if (checkpoint !== undefined) {
      this.#findings.reached('checkpoint inherited')
      const of = savedFor(checkpoint)
      if (of !== tick) this.#findings.wrong(`${label} works ${tick}, but is offered the checkpoint of ${of}`)
    }
    if (unfinished !== undefined) {
      this.#findings.reached('unfinished tick inherited')
      const of = savedFor(unfinished.state)
      if (of !== unfinished.tick || !(unfinished.tick < tick)) {
        this.#findings.wrong(
          `${label} works ${tick}, and is told that ${unfinished.tick} is unfinished, with the state of ${of}`,
        )
      }
    }
  }
}

/** Tasks save the tick along with their state. */
function savedFor(state: unknown): string {
  return typeof state === 'object' && state !== null && 'tick' in state ? String(state.tick) : 'nobody'
}
