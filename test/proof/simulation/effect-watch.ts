/** Watches the rows that leaders protect: whose writes land on them, and when. */
import type { Row, SimulatedDynamoDB } from '../../support/dynamodb/database.ts'
import { type Answer, type Exchange, isObject, numberOf, placeholder, textOf } from './exchange.ts'
import type { Findings } from './findings.ts'
import type { LeaseWatch } from './lease-watch.ts'
import { OwnWrites } from './own-writes.ts'
import { nameOf } from './tenure.ts'

export const PROTECTED = 'protected'

export class EffectWatch {
  readonly ownWrites: OwnWrites
  readonly #leases: LeaseWatch
  readonly #database: SimulatedDynamoDB
  readonly #findings: Findings
  /** Per row, the highest token whose write landed. */
  readonly #highest = new Map<string, number>()
  readonly #rows = new Map<string, Row | undefined>()

  constructor(leases: LeaseWatch, database: SimulatedDynamoDB, findings: Findings) {
    this.#leases = leases
    this.#database = database
    this.#findings = findings
    this.ownWrites = new OwnWrites(findings)
  }

  applied(exchange: Exchange, answer: Answer, isCopy: boolean): void {
    const { operation, body, place } = exchange
    if (operation === 'TransactWriteItems') {
      const [first, ...items] = Array.isArray(body['TransactItems']) ? body['TransactItems'] : []
      const isGuard = isObject(first) && 'ConditionCheck' in first
      for (const item of items) {
        const update: unknown = isObject(item) ? item['Update'] : undefined
        if (isObject(update)) this.#judge(place, update, answer, isCopy, isGuard ? 'guard' : 'completion')
      }
    } else if (body['TableName'] === PROTECTED) this.#judge(place, body, answer, isCopy, 'fence')
  }

  #judge(
    place: string,
    update: Readonly<Record<string, unknown>>,
    answer: Answer,
    isCopy: boolean,
    how: Protection,
  ): void {
    if (update['TableName'] !== PROTECTED) return
    const item = update['Item'] // of a Put
    const key = item ?? update['Key']
    const id = isObject(key) ? (textOf(key['id']) ?? '') : ''
    const token = Number(placeholder(update, ':by') ?? placeholder(update, ':tenureFence'))
    const highest = this.#highest.get(id) ?? 0
    const op = isObject(item) ? textOf(item['op']) : placeholder(update, ':op')
    if (answer.status !== 200) {
      if (op !== undefined) this.ownWrites.refused(op)
      if (how === 'fence' && token < highest) this.#findings.reached('stale effect refused by the fence')
      if (how === 'guard' && token !== this.#leases.holder?.token)
        this.#findings.reached('stale effect refused by the guard')
      return
    }
    // A transaction sent again under its own token is answered as done, and does nothing.
    const row = this.#database.row(PROTECTED, { id: { S: id } })
    if (row === this.#rows.get(id)) return
    this.#rows.set(id, row)
    if (op !== undefined) this.ownWrites.landed(op, isCopy)
    if (how === 'guard') this.#judgeGuard(place, token)
    if (token < highest) {
      this.#findings.broken(
        'S3',
        `${place}, an effect of token ${token}, landed on row ${id} after one of token ${highest}`,
      )
    }
    if (how === 'completion') this.#judgeCompletion(place, id)
    this.#highest.set(id, Math.max(highest, token))
  }

  #judgeGuard(place: string, token: number): void {
    const newest = Math.max(...this.#leases.tenures.keys())
    if (token >= newest) return
    const successor = this.#leases.tenures.get(newest)
    const who = successor === undefined ? 'another' : nameOf(successor)
    this.#findings.broken(
      'S3',
      `${place}, a guarded effect of token ${token}, landed after ${who} had acquired the lease`,
    )
  }

  #judgeCompletion(place: string, id: string): void {
    const times = numberOf(this.#database.row(PROTECTED, { id: { S: id } })?.['times'])
    if (times === 1) return
    this.#findings.broken(
      'S5',
      `${place} completed with effects, and the effects of ${id} have now happened ${times} times`,
    )
  }

  /** Once all is quiet: what was completed with effects has them, and nothing else has. */
  judgeCompletions(): void {
    const done = new Set(
      this.#database
        .rows(PROTECTED)
        .filter(({ times }) => times !== undefined)
        .map(({ id }) => textOf(id)),
    )
    for (const tenure of this.#leases.completed.values()) {
      if (!done.delete(`done ${tenure.tick}`)) {
        this.#findings.broken('S5', `${nameOf(tenure)} completed the tick ${tenure.tick} without its effects`)
      }
    }
    for (const id of done) this.#findings.broken('S5', `the effects of ${id} happened, but its tick is not completed`)
  }
}

type Protection = 'fence' | 'guard' | 'completion'
