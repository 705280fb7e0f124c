/** Checks the writes that land on protected rows (S3, S5). */

import type { Answer } from '../../../functions/election/testing/dynamodb/answer.ts'
import type { Row } from '../../../functions/election/testing/dynamodb/database.ts'
import { isObject } from '../../../functions/election/testing/dynamodb/values.ts'
import { type Exchange, nameOf, placeholder, textOf } from './records.ts'
import type { World } from './world.ts'

export const PROTECTED = 'protected'

type Protection = 'fence' | 'guard' | 'completion'

export class EffectWatch {
  readonly #world: World
  /** Per row, the highest token whose write landed. */
  readonly #highest = new Map<string, number>()
  readonly #rows = new Map<string, Row | undefined>()

  constructor(world: World) {
    this.#world = world
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
    if (answer.status !== 200) return
    // A transaction that is sent again with its token succeeds and changes nothing.
    const row = this.#world.database.row(PROTECTED, { id: { S: id } })
    if (row === this.#rows.get(id)) return
    this.#rows.set(id, row)
    if (op !== undefined) this.#world.ownWrites.landed(op, isCopy)
    const what = `${place}, an effect of token ${token},`
    if (protection === 'guard' && token < this.#world.leases.highestToken) {
      this.#world.broken('S3', `${what} landed by transact after another candidate had acquired the lease`)
    }
    if (token < highest) this.#world.broken('S3', `${what} landed on row ${id} after one of token ${highest}`)
    const times = Number(textOf(row?.['times']))
    if (protection === 'completion' && times !== 1) {
      this.#world.broken('S5', `${what} completed with effects; those of ${id} have now happened ${times} times`)
    }
    this.#highest.set(id, Math.max(highest, token))
  }

  /** At the end: each tick that was completed with effects has them, and no other tick has. */
  checkCompletions(): void {
    const counted = this.#world.database.rows(PROTECTED).filter(({ times }) => times !== undefined)
    const done = new Set(counted.map(({ id }) => textOf(id)))
    for (const { tenure } of this.#world.leases.completed.values()) {
      if (!done.delete(`done ${tenure.tick}`)) {
        this.#world.broken('S5', `${nameOf(tenure)} completed the tick ${tenure.tick} without its effects`)
      }
    }
    for (const id of done) this.#world.broken('S5', `the effects of ${id} happened, but its tick is not completed`)
  }
}
