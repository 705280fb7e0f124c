import type { Context } from 'aws-lambda'
import type { Injected } from './faults.ts'
import { processOf, type SimulatedProcess } from './process.ts'
import { Random } from './random.ts'
import type { CandidateSetting } from './setting.ts'
import type { Tenure } from './tenure.ts'
import { Wire } from './wire.ts'
import type { World } from './world.ts'

/** One event, as EventBridge Scheduler hands it over, and Lambda's tries of it: all under one request id. */
export interface Delivery {
  /** Like 't3 ann', or 't3 ann again' for a double. */
  readonly label: string
  readonly tick: number
  readonly candidate: CandidateSetting
  readonly requestId: string
  readonly event: { readonly tick: string; readonly periodMs: number; readonly schedule: string }
  readonly tries: Invocation[]
}

export interface Invocation {
  readonly label: string
  readonly delivery: Delivery
  readonly environment: Environment
  readonly startedMs: number
  endedMs: number | undefined
  state: 'running' | 'answered' | 'failed' | 'killed'
  /** What the function returned. */
  answer: unknown
  error: unknown
  task: 'not begun' | 'running' | 'ended'
  /** Who held the lease by its row when the invocation ended. */
  heldBy: Tenure | undefined
}

export type Handler = (event: unknown, context: Context) => Promise<unknown>

/** An execution environment: a process that Lambda uses for one invocation after the other, and freezes in between. */
export interface Environment {
  readonly process: SimulatedProcess
  readonly wire: Wire
  readonly handler: Handler
  readonly running: Set<Invocation>
  readonly served: Invocation[]
}

const RETRY_AFTER_MS = [60_000, 120_000]

/** Invokes functions for events, again where they fail, and kills what takes too long. */
export class Lambda {
  readonly deliveries: Delivery[] = []
  readonly #world: World
  readonly #environments = new Map<string, Environment[]>()
  readonly #ofContext = new WeakMap<object, Invocation>()
  #made = 0

  constructor(world: World) {
    this.#world = world
  }

  invocationOf(context: object): Invocation {
    const invocation = this.#ofContext.get(context)
    if (invocation === undefined) throw new Error('A context that no invocation was given')
    return invocation
  }

  deliver(delivery: Delivery): void {
    this.deliveries.push(delivery)
    this.#invoke(delivery)
  }

  /** Every environment ends, as with a new deployment. */
  reclaimAll(): void {
    for (const environment of [...this.#environments.values()].flat()) environment.process.die()
    this.#environments.clear()
  }

  kill(process: SimulatedProcess, why: string): void {
    if (process.state === 'dead') return
    process.die()
    for (const [candidate, environments] of this.#environments) {
      const environment = environments.find((one) => one.process === process)
      if (environment === undefined) continue
      this.#environments.set(
        candidate,
        environments.filter((one) => one !== environment),
      )
      this.#world.tell(`${process.name} ${why}`)
      for (const invocation of environment.running) this.#failed(invocation, 'killed')
    }
  }

  freeze(process: SimulatedProcess, forMs: number): void {
    if (process.state !== 'running') return
    const { timeline, setting } = this.#world
    process.freeze()
    const monotonicStopped = setting.freezeStopsMonotonic
    this.#world.tell(`${process.name} freezes for ${forMs} ms${monotonicStopped ? ', its monotonic clock too' : ''}`)
    timeline.after(forMs, undefined, () => {
      if (process.state !== 'frozen') return
      process.thaw({ monotonicStopped })
      this.#world.tell(`${process.name} wakes`)
      this.#world.beliefs.woke(process)
    })
  }

  #invoke(delivery: Delivery): void {
    const { timeline, setting } = this.#world
    const nth = delivery.tries.length + 1
    const label = `${delivery.label} try ${nth}`
    const random = new Random(setting.seed, `invocation ${label}`)
    const environment = this.#environmentFor(delivery, random)
    const { process } = environment
    const invocation: Invocation = {
      label,
      delivery,
      environment,
      startedMs: timeline.nowMs,
      endedMs: undefined,
      state: 'running',
      answer: undefined,
      error: undefined,
      task: 'not begun',
      heldBy: undefined,
    }
    delivery.tries.push(invocation)
    if (environment.running.size > 0) this.#world.findings.reached('two invocations in one process')
    if (environment.served.some(({ task }) => task === 'running')) {
      this.#world.findings.reached('task left by an earlier invocation went on')
    }
    environment.running.add(invocation)
    environment.served.push(invocation)
    process.thaw({ monotonicStopped: setting.freezeStopsMonotonic })
    process.errand = label
    process.requests = 0
    this.#world.tell(
      `${label} starts in ${process.name}, clock ${signed(process.offsetMs)} ms, tick ${delivery.event.tick}`,
    )
    timeline.after(0, process, () => {
      const context = this.#contextOf(invocation)
      environment.handler(delivery.event, context).then(
        (answer) => this.#answered(invocation, answer),
        (error: unknown) => {
          invocation.error = error
          this.#failed(invocation, 'failed')
        },
      )
    })
    timeline.after(setting.timeoutMs + random.between(0, 100), undefined, () => {
      if (invocation.state === 'running') this.kill(process, `is killed: ${label} has run out of time`)
    })
    this.#plague(invocation)
  }

  #environmentFor({ candidate, requestId }: Delivery, random: Random): Environment {
    const { setting } = this.#world
    const environments = this.#environments.get(candidate.name) ?? []
    const mayServe = (one: Environment) =>
      one.running.size === 0 ||
      (setting.sharedProcesses &&
        one.process.state === 'running' &&
        ![...one.running].some(({ delivery }) => delivery.requestId === requestId))
    const free = random.chance(850) ? environments.find(mayServe) : undefined
    if (free !== undefined) return free
    const made = this.#make(candidate)
    this.#environments.set(candidate.name, [...environments, made])
    return made
  }

  #make(candidate: CandidateSetting): Environment {
    const { timeline, setting } = this.#world
    const process = processOf(`${candidate.name}-${++this.#made}`, timeline, setting.seed, candidate.offsetMs)
    const wire = new Wire(process, this.#world.wires)
    return { process, wire, handler: this.#world.handlerFor(process, wire), running: new Set(), served: [] }
  }

  #contextOf(invocation: Invocation): Context {
    const { process } = invocation.environment
    const { requestId, candidate } = invocation.delivery
    const endsAtMs = process.wallMs() + this.#world.setting.timeoutMs
    const context: Context = {
      awsRequestId: requestId,
      functionName: candidate.name,
      functionVersion: '1',
      invokedFunctionArn: `arn:aws:lambda:eu-central-1:123456789012:function:${candidate.name}`,
      memoryLimitInMB: '512',
      logGroupName: 'group',
      logStreamName: 'stream',
      callbackWaitsForEmptyEventLoop: true,
      getRemainingTimeInMillis: () => endsAtMs - process.wallMs(),
      done: () => undefined,
      fail: () => undefined,
      succeed: () => undefined,
    }
    this.#ofContext.set(context, invocation)
    return context
  }

  #answered(invocation: Invocation, answer: unknown): void {
    invocation.answer = answer
    invocation.state = 'answered'
    this.#ended(invocation)
  }

  #failed(invocation: Invocation, how: 'failed' | 'killed'): void {
    if (invocation.state !== 'running') return
    invocation.state = how
    this.#ended(invocation)
    const { delivery } = invocation
    const afterMs = RETRY_AFTER_MS[delivery.tries.length - 1]
    if (afterMs === undefined) return
    const random = new Random(this.#world.setting.seed, `retry after ${invocation.label}`)
    this.#world.timeline.after(afterMs + random.between(0, 3_000), undefined, () => this.#invoke(delivery))
  }

  #ended(invocation: Invocation): void {
    const { timeline } = this.#world
    const { environment } = invocation
    invocation.endedMs = timeline.nowMs
    environment.running.delete(invocation)
    this.#world.invocationEnded(invocation)
    // Lambda freezes the process behind the last reply; what it still had to do waits for the next invocation.
    timeline.after(0, undefined, () => {
      const { process, running, served } = environment
      if (running.size > 0 || process.state !== 'running') return
      if (process.sleeping > 0 && !served.some(({ task }) => task === 'running')) {
        this.#world.findings.wrong(
          `${process.sleeping} timers of the lease are still set after ${invocation.label} has ended`,
        )
      }
      process.freeze()
    })
  }

  /** What may befall the invocation from outside. */
  #plague(invocation: Invocation): void {
    const { faults, timeline, setting } = this.#world
    const { process, wire } = invocation.environment
    const { label } = invocation
    const at = (fault: Injected | undefined, act: (random: Random) => void) => {
      if (fault === undefined) return
      timeline.after(fault.random.spread(1, setting.timeoutMs), undefined, () => {
        if (invocation.state === 'running') act(fault.random)
      })
    }
    const { nowMs } = timeline
    at(faults.draw('process dies at work', label, nowMs), () => this.kill(process, 'dies'))
    at(faults.draw('process freezes at work', label, nowMs), (random) =>
      this.freeze(process, random.spread(500, 200_000)),
    )
    at(faults.draw('cut off', label, nowMs), (random) => {
      const forMs = random.spread(100, 60_000)
      wire.cutOff(forMs)
      this.#world.tell(`${process.name} is cut off for ${forMs} ms`)
    })
    if (setting.freezeStopsMonotonic) return
    const clock = (kind: 'clock set' | 'clock wrong' | 'clock drifts', act: (random: Random) => void) => {
      at(faults.draw(kind, label, nowMs), (random) => {
        act(random)
        this.#world.tell(`${process.name}: ${kind}, now ${signed(process.offsetMs)} ms`)
      })
    }
    const eitherWay = (random: Random, ms: number) => (random.chance(500) ? ms : -ms)
    clock('clock set', (random) => {
      const byMs = eitherWay(random, random.spread(50, 20_000))
      process.setWall(byMs)
      timeline.after(random.spread(1_000, 300_000), undefined, () => process.setWall(-byMs))
    })
    clock('clock drifts', (random) => {
      process.drift(eitherWay(random, random.spread(1, 50)))
      timeline.after(random.spread(60_000, 1_000_000), undefined, () => process.drift(0))
    })
    if (faults.over) return
    const wrong = faults.draw('clock wrong', label, nowMs)
    if (wrong !== undefined) {
      const byMs = eitherWay(wrong.random, wrong.random.spread(600, 60_000))
      process.setWall(byMs)
      timeline.after(wrong.random.spread(1_000, 600_000), undefined, () => process.setWall(-byMs))
      this.#world.tell(`${process.name}: clock wrong, now ${signed(process.offsetMs)} ms`)
    }
  }
}

export function signed(ms: number): string {
  return ms < 0 ? String(ms) : `+${ms}`
}
