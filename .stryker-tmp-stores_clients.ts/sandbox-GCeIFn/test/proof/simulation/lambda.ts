// @ts-nocheck
import type { Context } from 'aws-lambda'
import { CONTINUATION } from '../../../functions/election/continuation.ts'
import { Connection } from './connection.ts'
import type { OtherFault } from './faults.ts'
import { functionOf } from './function.ts'
import { checkInvocation } from './outcome-watch.ts'
import { SimulatedProcess } from './process.ts'
import { Random } from './random.ts'
import type { Tenure } from './records.ts'
import type { CandidateSetting } from './setting.ts'
import type { World } from './world.ts'

/** An event of EventBridge Scheduler or of a leader that hands over, and Lambda's tries under one request id. */
export interface Delivery {
  /** Like 't3 ann', or 't3 ann again' for a double. */
  readonly label: string
  readonly tick: number
  readonly candidate: CandidateSetting
  readonly requestId: string
  readonly event: {
    readonly tick: string
    readonly periodMs: number
    readonly schedule: string
    readonly [CONTINUATION]?: string
  }
  readonly tries: Invocation[]
}

export interface Invocation {
  readonly label: string
  readonly delivery: Delivery
  readonly environment: Environment
  endedMs: number | undefined
  state: 'running' | 'answered' | 'failed' | 'killed'
  /** What the function returned. */
  answer: unknown
  error: unknown
  task: 'not begun' | 'running' | 'ended'
  /** The holder by the lease row when the invocation ended. */
  heldBy: Tenure | undefined
}

type LambdaContext = Pick<Context, 'awsRequestId' | 'functionName' | 'invokedFunctionArn' | 'getRemainingTimeInMillis'>
export type Handler = (event: Delivery['event'], context: LambdaContext) => Promise<unknown>

/** A process that Lambda uses for one invocation after another, and freezes in between. */
export interface Environment {
  readonly candidate: string
  readonly process: SimulatedProcess
  readonly connection: Connection
  readonly handler: Handler
  readonly served: Invocation[]
}

const RETRY_AFTER_MS = [60_000, 120_000]

/** Invokes functions for events, again if they fail, and kills invocations that take too long. */
export class Lambda {
  readonly deliveries: Delivery[] = []
  readonly #world: World
  #environments: Environment[] = []
  readonly #ofContext = new WeakMap<object, Invocation>()
  #processes = 0

  constructor(world: World) {
    this.#world = world
  }

  invocationOf(context: object): Invocation {
    const invocation = this.#ofContext.get(context)
    if (invocation === undefined) throw new Error('This context belongs to no invocation')
    return invocation
  }

  deliver(delivery: Delivery): void {
    this.deliveries.push(delivery)
    this.#invoke(delivery)
  }

  /** Ends every environment, as a new deployment does. */
  reclaimAll(): void {
    for (const { process } of this.#environments.splice(0)) process.die()
  }

  kill(process: SimulatedProcess, why: string): void {
    if (process.state === 'dead') return
    process.die()
    const environment = this.#environments.find((one) => one.process === process)
    if (environment === undefined) return
    this.#environments = this.#environments.filter((one) => one !== environment)
    this.#world.log(`${process.name} ${why}`)
    for (const invocation of environment.served) this.#failed(invocation, 'killed')
  }

  freeze(process: SimulatedProcess, forMs: number): void {
    if (process.state !== 'running') return
    const { timeline, setting } = this.#world
    process.freeze()
    const monotonicStopped = setting.freezeStopsMonotonic
    this.#world.log(`${process.name} freezes for ${forMs} ms${monotonicStopped ? ', its monotonic clock too' : ''}`)
    timeline.after(forMs, undefined, () => {
      if (process.state !== 'frozen') return
      process.thaw({ monotonicStopped })
      this.#world.log(`${process.name} wakes`)
    })
  }

  #invoke(delivery: Delivery): void {
    const { timeline, setting } = this.#world
    const label = `${delivery.label} try ${delivery.tries.length + 1}`
    const random = new Random(setting.seed, `invocation ${label}`)
    const environment = this.#environmentFor(delivery, random)
    const { process, served } = environment
    const invocation: Invocation = {
      ...{ label, delivery, environment, state: 'running', task: 'not begun' },
      ...{ endedMs: undefined, answer: undefined, error: undefined, heldBy: undefined },
    }
    delivery.tries.push(invocation)
    this.#world.reached('two invocations in one process', isBusy(environment))
    served.push(invocation)
    process.thaw({ monotonicStopped: setting.freezeStopsMonotonic })
    process.invocation = label
    process.requests = 0
    const { tick } = delivery.event
    this.#world.log(`${label} starts in ${process.name}, clock ${signed(process.offsetMs)} ms, tick ${tick}`)
    timeline.after(0, process, () => {
      environment.handler(delivery.event, this.#contextOf(invocation)).then(
        (answer) => {
          invocation.answer = answer
          invocation.state = 'answered'
          this.#ended(invocation)
        },
        (error: unknown) => {
          invocation.error = error
          this.#failed(invocation, 'failed')
        },
      )
    })
    timeline.after(setting.timeoutMs + random.between(0, 100), undefined, () => {
      if (invocation.state === 'running') this.kill(process, `is killed: the time of ${label} is over`)
    })
    this.#scheduleFaults(invocation)
  }

  #environmentFor({ candidate, requestId }: Delivery, random: Random): Environment {
    const { timeline, setting } = this.#world
    const isServing = ({ delivery, state }: Invocation) => state === 'running' && delivery.requestId === requestId
    const mayShare = ({ served, process }: Environment) =>
      setting.sharedProcesses && process.state === 'running' && !served.some(isServing)
    const mayServe = (one: Environment) => one.candidate === candidate.name && (!isBusy(one) || mayShare(one))
    const free = random.chance(850) ? this.#environments.find(mayServe) : undefined
    if (free !== undefined) return free
    const name = `${candidate.name}-${++this.#processes}`
    const process = new SimulatedProcess(name, timeline, setting.seed, candidate.offsetMs)
    const connection = new Connection(process, this.#world)
    const handler = functionOf(this.#world, process, connection)
    const fresh: Environment = { candidate: candidate.name, process, connection, handler, served: [] }
    this.#environments.push(fresh)
    return fresh
  }

  #contextOf(invocation: Invocation): LambdaContext {
    const { process } = invocation.environment
    const { requestId, candidate } = invocation.delivery
    const endsAtMs = process.wallMs() + this.#world.setting.timeoutMs
    const getRemainingTimeInMillis = () => endsAtMs - process.wallMs()
    const names = { functionName: candidate.name, invokedFunctionArn: invocation.label }
    const context = { awsRequestId: requestId, ...names, getRemainingTimeInMillis }
    this.#ofContext.set(context, invocation)
    return context
  }

  #failed(invocation: Invocation, how: 'failed' | 'killed'): void {
    if (invocation.state !== 'running') return
    invocation.state = how
    this.#ended(invocation)
    const { delivery, label } = invocation
    const afterMs = RETRY_AFTER_MS[delivery.tries.length - 1]
    if (afterMs === undefined) return
    const random = new Random(this.#world.setting.seed, `retry after ${label}`)
    this.#world.timeline.after(afterMs + random.between(0, 3_000), undefined, () => this.#invoke(delivery))
  }

  #ended(invocation: Invocation): void {
    const { timeline } = this.#world
    const { process, served } = invocation.environment
    invocation.endedMs = timeline.nowMs
    checkInvocation(this.#world, invocation)
    // Lambda freezes the process after its last reply; what is left to do waits for the next invocation.
    timeline.after(0, undefined, () => {
      if (isBusy(invocation.environment) || process.state !== 'running') return
      if (process.sleeping > 0 && !served.some(({ task }) => task === 'running')) {
        this.#world.wrong(`${process.sleeping} timers of the lease are left after ${invocation.label} has ended`)
      }
      process.freeze()
    })
  }

  #scheduleFaults(invocation: Invocation): void {
    const { faults, timeline, setting } = this.#world
    const { process, connection } = invocation.environment
    const later = (kind: OtherFault, happen: (random: Random) => void) => {
      const random = faults.draw(kind, invocation.label)
      if (random === undefined) return
      timeline.after(random.spread(1, setting.timeoutMs), undefined, () => {
        if (invocation.state === 'running') happen(random)
      })
    }
    later('process dies at work', () => this.kill(process, 'dies'))
    later('process freezes at work', (random) => this.freeze(process, random.spread(500, 200_000)))
    later('cut off', (random) => {
      const forMs = random.spread(100, 60_000)
      connection.cutOff(forMs)
      this.#world.log(`${process.name} is cut off for ${forMs} ms`)
    })
    if (setting.freezeStopsMonotonic) return
    later('clock set', (random) => {
      this.#setClock(process, eitherWay(random, random.spread(50, 20_000)), random.spread(1_000, 300_000))
    })
    later('clock drifts', (random) => {
      process.drift(eitherWay(random, random.spread(1, 50)))
      timeline.after(random.spread(60_000, 1_000_000), undefined, () => process.drift(0))
      this.#world.log(`${process.name}: its clock drifts`)
    })
    const wrong = faults.draw('clock wrong', invocation.label)
    if (wrong === undefined) return
    this.#setClock(process, eitherWay(wrong, wrong.spread(600, 60_000)), wrong.spread(1_000, 600_000))
  }

  #setClock(process: SimulatedProcess, byMs: number, forMs: number): void {
    process.setWall(byMs)
    this.#world.timeline.after(forMs, undefined, () => process.setWall(-byMs))
    this.#world.log(`${process.name}: its clock is set, now ${signed(process.offsetMs)} ms`)
  }
}

function isBusy({ served }: Environment): boolean {
  return served.some(({ state }) => state === 'running')
}

function eitherWay(random: Random, ms: number): number {
  return random.chance(500) ? ms : -ms
}

function signed(ms: number): string {
  return ms < 0 ? String(ms) : `+${ms}`
}
