// @ts-nocheck
import { getEventListeners } from 'node:events'
import {
  DynamoDBLeaseStore,
  Election,
  InvalidOptionError,
  LeaseError,
  type StandingLease,
} from '../../../../functions/election/index.ts'
import { SimulatedProcess } from '../process.ts'
import { Random } from '../random.ts'
import { TABLE } from './network.ts'
import type { Scene } from './scene.ts'
import { DRIFT_PER_MILLE, LEASE, offsetOf } from './setting.ts'

class TaskError extends Error {}

/** One server from its start to its end: it stands again and again, works while it leads, and may die. */
export class Server {
  readonly name: string
  readonly process: SimulatedProcess
  readonly #scene: Scene
  readonly #random: Random
  readonly #stopping = new AbortController()
  #election: Election | undefined
  #isStanding = false
  lease: StandingLease | undefined
  bodies = 0
  campaigns = 0
  hasEnded = false
  isHealthy = true
  isEligible = true
  merit: number

  constructor(scene: Scene, name: string, nth: number) {
    const { setting, timeline } = scene
    this.name = name
    this.#scene = scene
    this.#random = new Random(setting.seed, `server ${name} ${nth}`)
    this.process = new SimulatedProcess(`${name} ${nth}`, timeline, setting.seed, offsetOf(setting, name))
    this.process.invocation = name
    this.process.drift(offsetOf(setting, name) > 0 ? -DRIFT_PER_MILLE : DRIFT_PER_MILLE)
    this.merit = this.#random.between(0, 5)
  }

  /** Whether its lease handle says that it leads. */
  get believes(): boolean {
    return this.process.state === 'running' && (this.lease?.remainingMs() ?? 0) > 0
  }

  async run(): Promise<void> {
    const { setting, network } = this.#scene
    const { leaseMs, maxClockSkewMs, pollMs, refreshMs, headStartMs, drainMs, preempt } = setting
    const { clock } = this.process
    const store = new DynamoDBLeaseStore({ tableName: TABLE, client: network.clientOf(this.process), clock })
    const signal = this.#stopping.signal
    while (!signal.aborted) {
      this.#election = new Election({
        ...{ store, clock, lease: LEASE, candidate: this.name, leaseMs, maxClockSkewMs, pollMs, refreshMs },
        ...{ headStartMs, drainMs, ...(preempt && { preempt }), merit: () => this.merit },
        ...{ healthy: () => this.isHealthy, eligible: () => this.isEligible },
      })
      try {
        this.#isStanding = true
        for await (const lease of this.#election.campaign({ signal })) {
          const goesOn = await this.#lead(lease)
          if (!goesOn) break
        }
      } catch (error) {
        if (!(error instanceof TaskError))
          this.#scene.broken(undefined, `the campaign of ${this.name} ended by ${error}`)
      }
      this.#isStanding = false
      this.campaigns++
      this.lease = undefined
      if (!signal.aborted) await clock.sleep(this.#scene.isQuiet ? 10 : this.#random.spread(10, 5_000), signal)
    }
    this.hasEnded = true
  }

  /** A second campaign of its Election, which must be refused. */
  async campaignAgain(): Promise<void> {
    if (this.#election === undefined || !this.#isStanding) return
    try {
      for await (const lease of this.#election.campaign({ signal: this.#stopping.signal })) await this.#lead(lease)
    } catch (error) {
      if (!(error instanceof InvalidOptionError || error instanceof TaskError)) throw error
    }
  }

  /** Of the signal that ends its campaigns. */
  get listeners(): number {
    return getEventListeners(this.#stopping.signal, 'abort').length
  }

  stop(): void {
    this.#stopping.abort()
  }

  /** By the operator, or the server itself. */
  resign(to: string | undefined): void {
    void this.#election?.resign(to === undefined ? {} : { to })
  }

  async #lead(lease: StandingLease): Promise<boolean> {
    const scene = this.#scene
    const { clock } = this.process
    const { leaseMs, drainMs } = scene.setting
    this.lease = lease
    this.bodies++
    scene.leads(this, lease)
    if (this.#random.chance(500)) {
      await lease.proclaim({ token: lease.fencingToken }).catch((error: unknown) => {
        if (!(error instanceof LeaseError)) scene.broken(undefined, `proclaim failed by ${error}`)
      })
    }
    await clock.sleep(scene.isQuiet ? 1e9 : this.#random.spread(500, leaseMs * 8), lease.signal)
    const isStuck = !scene.isQuiet && this.#random.chance(200)
    await clock.sleep(isStuck ? this.#random.spread(drainMs, leaseMs * 2) : this.#random.between(0, drainMs / 2))
    this.bodies--
    scene.turnEnds(this, lease, this.believes)
    if (!scene.isQuiet && this.#random.chance(50)) throw new TaskError()
    return scene.isQuiet || this.#random.chance(scene.setting.staysPerMille)
  }
}
