// @ts-nocheck
import type { InvokeCommandInput } from '@aws-sdk/client-lambda'
import type { Lease } from '../../../functions/election/index.ts'
import type { Checkpoint, HolderWrite } from '../../../functions/election/rules.ts'
import type { Delivery } from './lambda.ts'
import type { Acquire } from './lease-watch.ts'
import type { SimulatedProcess } from './process.ts'
import { Random } from './random.ts'
import type { LeaseRow, Tenure } from './records.ts'
import type { Attempt } from './request-watch.ts'
import { SKEW_MS } from './setting.ts'
import type { World } from './world.ts'

/** Work that is handed over: invokes what continues it, and checks that it goes on (R1, L3). */
export class Continuations {
  readonly #world: World
  /** By the continuation's id. */
  readonly #handedOver = new Map<string, { readonly by: Tenure; readonly checkpoint: Checkpoint }>()
  /** The ids of those whose invoke was accepted. */
  readonly #accepted = new Set<string>()

  constructor(world: World) {
    this.#world = world
  }

  released(request: HolderWrite, by: Tenure, { reservedFor }: LeaseRow, place: string): void {
    if (request.kind !== 'release' || request.endedBy !== 'continued') return
    this.#handedOver.set(request.reservedFor, { by, checkpoint: request.checkpoint })
    if (reservedFor === undefined) this.#world.broken('R1', `${place} hands over, and reserves nothing`)
  }

  /** An asynchronous invoke. Its `FunctionName` is the label of the invocation that sends it. */
  invoke(process: SimulatedProcess, { FunctionName = '', Payload }: InvokeCommandInput): Promise<unknown> {
    const { timeline, faults, setting, lambda } = this.#world
    const before = lambda.deliveries.find(({ tries }) => tries.some(({ label }) => label === FunctionName))
    if (before === undefined) throw new Error(`No invocation has the label ${FunctionName}`)
    const event: Delivery['event'] = JSON.parse(String(Payload))
    const id = event.leaseContinuation ?? ''
    if (!this.#handedOver.has(id)) {
      this.#world.broken('L3', `${FunctionName} invokes what it continues while it leads: that may be refused`)
    }
    const label = `${FunctionName.replace(' try ', '.')} continued`
    const usual = new Random(setting.seed, `invoke of ${label}`)
    const fault = faults.draw('invoke fails', `${FunctionName} invoke`)
    const how = fault?.pick('refused', 'lost', 'unanswered', 'late', 'doubled')
    const requestId = usual.uuid()
    const deliver = (name: string, afterMs: number) =>
      timeline.after(afterMs, undefined, () => lambda.deliver({ ...before, label: name, requestId, event, tries: [] }))
    if (how !== 'refused' && how !== 'lost') {
      this.#accepted.add(id)
      deliver(label, how === 'late' ? usual.spread(1_000, 180_000) : usual.between(5, 60))
    }
    if (how === 'doubled') deliver(`${label} again`, usual.spread(5, 60_000))
    const isAnswered = how !== 'lost' && how !== 'unanswered'
    return new Promise((resolve, reject) => {
      const answer = () => (isAnswered && how !== 'refused' ? resolve({}) : reject(new Error(`The invoke is ${how}`)))
      timeline.after(isAnswered ? usual.between(5, 60) : 2_000, process, answer)
    })
  }

  /** Lambda does not retry the event of an invocation that reports that its work goes on. */
  reported(label: string, tenure: Tenure | undefined): void {
    const [id = ''] = [...this.#handedOver].find(([, { by }]) => by === tenure) ?? []
    if (this.#accepted.has(id)) return
    this.#world.broken('L3', `${label} reports that its work goes on, but its continuation was not invoked`)
  }

  stoodBy(label: string, { event }: Delivery): void {
    const { leaseContinuation: id } = event
    if (id === undefined || this.#world.leases.row?.reservedFor !== id) return
    this.#world.broken('L3', `${label} stands by, though the lease is reserved for it: the work stops`)
  }

  /** Until it ends, a reservation is for the continuation, and for the event that handed over. */
  granted(place: string, request: Acquire, attempt: Attempt, before?: LeaseRow): Checkpoint | undefined {
    const { checkpoint } = this.#handedOver.get(before?.reservedFor ?? '') ?? {}
    if (before === undefined || checkpoint === undefined) return undefined
    if (isFor(request, before)) {
      const isRetry = request.continuation !== before.reservedFor
      this.#world.reached(isRetry ? 'a retry resumed what it handed over' : 'a continuation took its reservation')
      return checkpoint
    }
    if (attempt.sentAtMs < before.reservedUntilMs && Math.abs(attempt.offsetMs) <= SKEW_MS / 2) {
      this.#world.broken('R1', `${place} was granted the lease, which is reserved for another`)
    }
    this.#world.reached('a reservation ended unused')
    return undefined
  }

  /** The lease is vacant. */
  refused(place: string, request: Acquire, sentAtMs: number, row: LeaseRow): void {
    const lateMs = sentAtMs - row.reservedUntilMs
    if (row.reservedFor === undefined) this.#world.broken('L2', `${place} was refused a lease that is free`)
    else if (isFor(request, row)) this.#world.broken('L3', `${place} was refused what was handed over to it`)
    else if (lateMs >= 2 * SKEW_MS) this.#world.broken('R1', `${place} was refused ${lateMs} ms after the reservation`)
  }

  /** The work goes on from where it stood. */
  taskBegins(label: string, lease: Lease, { continues }: Tenure): void {
    if (continues === undefined) return
    const { state, tick } = continues
    const offered = tick === lease.tick ? lease.checkpoint : lease.unfinished?.state
    if (JSON.stringify(offered) === JSON.stringify(state)) return
    this.#world.broken('L3', `${label} goes on from ${JSON.stringify(offered)}, not from ${JSON.stringify(state)}`)
  }
}

function isFor({ continuation, eventId }: Acquire, row: LeaseRow): boolean {
  return continuation === row.reservedFor || (eventId !== undefined && eventId === row.eventId)
}
