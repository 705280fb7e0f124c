// @ts-nocheck
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Answer } from '../../../../functions/election/testing/dynamodb/answer.ts'
import { simulatedClient } from '../../../../functions/election/testing/dynamodb/client.ts'
import { type Row, SimulatedDynamoDB } from '../../../../functions/election/testing/dynamodb/database.ts'
import type { SimulatedProcess, Timeline } from '../process.ts'
import { Random } from '../random.ts'
import { LEASE_KEY, type Setting } from './setting.ts'

export const TABLE = 'leases'
/** The time-out of the shipped clients. */
const ANSWER_MS = 2_000
/** The longest that a request is under way. */
const LATEST_MS = 40_000
/** How old the row may be that a read shows, unless it is consistent. */
const LATEST_COPY_MS = 1_000

/** DynamoDB and the ways to it, which lose, delay and copy. */
export class Network {
  readonly database = new SimulatedDynamoDB()
  requests = 0
  readonly #setting: Setting
  readonly #timeline: Timeline
  readonly #applied: (process: SimulatedProcess, operation: string, answer: object) => void
  readonly #cutOffUntilMs = new Map<string, number>()
  #faultsUntilMs = 0
  /** Earlier rows of the lease, the oldest first. */
  readonly #versions: { readonly row: Row | undefined; readonly untilMs: number }[] = []
  isQuiet = false

  constructor(
    setting: Setting,
    timeline: Timeline,
    applied: (process: SimulatedProcess, operation: string, answer: object) => void,
  ) {
    this.#setting = setting
    this.#timeline = timeline
    this.#applied = applied
    this.database.createTable({ name: TABLE, partitionKey: 'lease', sortKey: 'record' })
  }

  /** When the last request that lost its way arrives. */
  get faultsUntilMs(): number {
    return this.#faultsUntilMs
  }

  clientOf(process: SimulatedProcess): DynamoDBClient {
    return simulatedClient(
      (operation, body, signal) => this.#send(process, operation, body, signal),
      {
        maxAttempts: 3,
      },
      { isLean: this.#setting.seed % 2 === 0 },
    )
  }

  cutOff(name: string, forMs: number): void {
    this.#cutOffUntilMs.set(name, this.#timeline.nowMs + forMs)
  }

  reaches(process: SimulatedProcess): boolean {
    return (this.#cutOffUntilMs.get(process.invocation) ?? 0) <= this.#timeline.nowMs
  }

  #send(process: SimulatedProcess, operation: string, body: object, signal?: AbortSignal) {
    const timeline = this.#timeline
    const random = new Random(this.#setting.seed, `${process.name} request ${++process.requests}`)
    this.requests++
    const fault =
      !this.isQuiet && random.chance(this.#setting.lossPerMille)
        ? random.pick('request lost', 'reply lost', 'late', 'copied', 'failed')
        : undefined
    const [thereMs, backMs] = [random.between(1, 20), random.between(1, 20)]
    return new Promise<Answer & { dateMs: number }>((resolve, reject) => {
      const fail = (name: string) => reject(Object.assign(new Error('The request failed'), { name }))
      if (signal?.aborted) return fail('AbortError')
      signal?.addEventListener('abort', () => fail('AbortError'), { once: true })
      timeline.after(ANSWER_MS, process, () => fail('TimeoutError'))
      const isStale = operation === 'GetItem' && !this.isQuiet && random.chance(this.#setting.stalePerMille)
      const asOfMs = timeline.nowMs - (isStale ? random.between(0, LATEST_COPY_MS) : 0)
      const execute = () => {
        const before = this.database.row(TABLE, LEASE_KEY)
        const answer = { ...this.database.execute(operation, body), dateMs: timeline.nowMs }
        if (this.database.row(TABLE, LEASE_KEY) !== before)
          this.#versions.push({ row: before, untilMs: timeline.nowMs })
        this.#applied(process, operation, answer.body)
        const stale = isStale ? this.#versions.find(({ untilMs }) => untilMs > asOfMs) : undefined
        return stale === undefined ? answer : { ...answer, body: { Item: stale.row } }
      }
      const later = () => {
        const afterMs = random.spread(thereMs, LATEST_MS)
        this.#faultsUntilMs = Math.max(this.#faultsUntilMs, timeline.nowMs + afterMs)
        timeline.after(afterMs, undefined, execute)
      }
      if (fault === 'late' || fault === 'copied') later()
      if (fault === 'failed') return void timeline.after(thereMs, process, () => fail('NetworkingError'))
      if (fault === 'request lost' || fault === 'late') return
      timeline.after(thereMs, undefined, () => {
        if (!this.reaches(process)) return
        const answer = execute()
        if (fault === 'reply lost') return
        timeline.after(backMs, process, () => this.reaches(process) && resolve(answer))
      })
    })
  }
}
