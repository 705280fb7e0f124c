/** Checks the writes that land on protected rows (S3, S5). */
import type { Answer } from '../../../functions/election/testing/dynamodb/answer.ts'
import type { Row } from '../../../functions/election/testing/dynamodb/database.ts'
import { isObject } from '../../../functions/election/testing/dynamodb/values.ts'
import { type Exchange, placeholder, textOf } from './exchange.ts'
import type { Findings } from './findings.ts'
import { OwnWrites } from './own-writes.ts'
import { nameOf } from './tenure.ts'
import type { World } from './world.ts'

export const PROTECTED = 'protected'

type Protection = 'fence' | 'guard' | 'completion'

export class EffectWatch {
  readonly ownWrites: OwnWrites
  readonly #world: World
  readonly #findings: Findings
  /** Per row, the highest token whose write landed. */
  readonly #highest = new Map<string, number>()
  readonly #rows = new Map<string, Row | undefined>()

  constructor(world: World) {
    this.#world = world
    this.#findings = world.findings
    this.ownWrites = new OwnWrites(world.findings)
  }

  /** Called after DynamoDB has applied or refused a request. */
  applied({ operation, body, place }: Exchange, answer: Answer, isCopy: boolean): void {
    if (operation !== 'TransactWriteItems') {
      if (body['TableName'] === PROTECTED) this.#check(place, body, answer, isCopy, 'fence')
      return
    }
    const [first, ...items] = Array.isArray(body['TransactItems']) ? body['TransactItems'] : []
    const protection = isObject(first) && 'ConditionCheck' in first ? 'guard' : 'completion'
    for (const item of items) {
      const update: unknown = isObject(item) ? item['Update'] : undefined
      if (isObject(update) && update['TableName'] === PROTECTED) this.#check(place, update, answer, isCopy, protection)
    }
  }

  #check(place: string, write: Exchange['body'], answer: Answer, isCopy: boolean, protection: Protection): void {
    const item = write['Item'] // of a Put
    const key = item ?? write['Key']
    const id = isObject(key) ? (textOf(key['id']) ?? '') : ''
    const token = Number(placeholder(write, ':by') ?? placeholder(write, ':tenureFence'))
    const highest = this.#highest.get(id) ?? 0
    const op = isObject(item) ? textOf(item['op']) : placeholder(write, ':op')
    if (answer.status !== 200) {
      if (op !== undefined) this.ownWrites.refused(op)
      if (protection === 'fence' && token < highest) this.#findings.reached('stale effect refused by the fence')
      if (protection === 'guard' && token !== this.#world.leases.holder?.token) {
        this.#findings.reached('stale effect refused by the guard')
      }
      return
    }
    // A transaction that is sent again with its token succeeds and changes nothing.
    const row = this.#world.database.row(PROTECTED, { id: { S: id } })
    if (row === this.#rows.get(id)) return
    this.#rows.set(id, row)
    if (op !== undefined) this.ownWrites.landed(op, isCopy)
    const what = `${place}, an effect of token ${token},`
    if (protection === 'guard' && token < this.#world.leases.highestToken) {
      this.#findings.broken('S3', `${what} landed by transact after another candidate had acquired the lease`)
    }
    if (token < highest) {
      this.#findings.broken('S3', `${what} landed on row ${id} after one of token ${highest}`)
    }
    const times = Number(textOf(row?.['times']))
    if (protection === 'completion' && times !== 1) {
      this.#findings.broken('S5', `${what} completed with effects; those of ${id} have now happened ${times} times`)
    }
    this.#highest.set(id, Math.max(highest, token))
  }

  /** At the end: each tick that was completed with effects has them, and no other tick has. */
  checkCompletions(): void {
    const counted = this.#world.database.rows(PROTECTED).filter(({ times }) => times !== undefined)
    const done = new Set(counted.map(({ id }) => textOf(id)))
    for (const { tenure } of this.#world.leases.completed.values()) {
      if (!done.delete(`done ${tenure.tick}`)) {
        this.#findings.broken('S5', `${nameOf(tenure)} completed the tick ${tenure.tick} without its effects`)
      }
    }
    for (const id of done) this.#findings.broken('S5', `the effects of ${id} happened, but its tick is not completed`)
  }
}
