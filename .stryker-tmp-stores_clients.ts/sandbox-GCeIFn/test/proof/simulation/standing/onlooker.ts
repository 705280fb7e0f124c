// @ts-nocheck
import { DynamoDBLeaseStore, Election } from '../../../../functions/election/index.ts'
import { isObject } from '../../../../functions/election/testing/dynamodb/values.ts'
import { SimulatedProcess } from '../process.ts'
import { TABLE } from './network.ts'
import type { Scene } from './scene.ts'
import { LEASE } from './setting.ts'

/** Observes the election from the beginning to the end: what it sees must be in order, and true. */
export class Onlooker {
  readonly #scene: Scene
  readonly #process: SimulatedProcess
  readonly #leaving = new AbortController()
  #isOver = false

  constructor(scene: Scene) {
    this.#scene = scene
    this.#process = new SimulatedProcess('onlooker', scene.timeline, scene.setting.seed, 0)
    scene.timeline.after(0, this.#process, () => void this.#watch())
  }

  get hasEnded(): boolean {
    return this.#isOver && this.#process.sleeping === 0
  }

  leave(): void {
    this.#scene.timeline.after(0, this.#process, () => this.#leaving.abort())
  }

  async #watch(): Promise<void> {
    const scene = this.#scene
    const { maxClockSkewMs, pollMs } = scene.setting
    const { clock } = this.#process
    const store = new DynamoDBLeaseStore({ tableName: TABLE, client: scene.network.clientOf(this.#process), clock })
    const election = new Election({ store, clock, lease: LEASE, candidate: 'onlooker', maxClockSkewMs, pollMs })
    let [latest, isVacant] = [0, false]
    for await (const { leader } of election.observe({ signal: this.#leaving.signal })) {
      scene.log(`the onlooker sees ${leader === undefined ? 'vacancy' : `token ${leader.fencingToken}`}`)
      const token = leader?.fencingToken ?? latest
      if (token < latest || (leader !== undefined && isVacant && token === latest)) {
        scene.broken(undefined, `observe goes back to token ${token} after ${latest}`)
      }
      ;[latest, isVacant] = [token, leader === undefined]
      const announced = leader?.announcement
      if (isObject(announced) && announced['token'] !== token) {
        scene.broken('R4', `token ${announced['token']} is announced under token ${token}`)
      }
    }
    this.#isOver = true
  }
}
