/** Checks the writes that land on protected rows (S3, S5), and what a task learned about its own (S6). */
// @ts-nocheck

import { LeaseStoreError, StaleTokenError } from '../../../functions/election/index.ts'
import type { Answer } from '../../../functions/election/testing/dynamodb/answer.ts'
import type { Row } from '../../../functions/election/testing/dynamodb/database.ts'
import { isObject } from '../../../functions/election/testing/dynamodb/values.ts'
import { type Exchange, nameOf, placeholder, textOf } from './records.ts'
import type { World } from './world.ts'

export const PROTECTED = 'protected'

type Protection = 'fence' | 'guard' | 'completion'

export interface OwnWrite {
  /** Unique in a history. The write carries it as `:op`. */
  readonly op: string
  readonly row: string
  readonly token: number
  readonly how: 'send' | 'transact'
  /** The caller's own condition may refuse it. */
  readonly isConditional?: boolean
  /** A Put has no key, so the lease sends it beside other writes to its row. */
  readonly isPut?: boolean
}

interface Watched extends OwnWrite {
  readonly beganAt: number
  endedAt: number
  /** No other write by `send` of its leader to its row was under way when it began. */
  readonly isAlone: boolean
  landed: number
  /** A request landed at its first arrival, and not only a copy of one that was refused before. */
  landedAtOnce: boolean
}

export class EffectWatch {
  readonly #world: World
  /** Per row, the highest token whose write landed. */
  readonly #highest = new Map<string, number>()
  readonly #rows = new Map<string, Row | undefined>()
  readonly #writes = new Map<string, Watched>()
  /** Per row, the writes that landed, in their order. */
  readonly #landed = new Map<string, Watched[]>()
  #moment = 0

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
    if (op !== undefined) this.#ownLanded(op, isCopy)
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

  /** Sends a leader's own write. */
  async watch<T>(write: OwnWrite, send: () => Promise<T>): Promise<T> {
    const isBeside = (other: Watched) => other.row === write.row && isOfLeader(other, write) && isUnderWay(other)
    const watched = {
      ...write,
      beganAt: ++this.#moment,
      endedAt: Number.POSITIVE_INFINITY,
      isAlone: ![...this.#writes.values()].some(isBeside),
      landed: 0,
      landedAtOnce: false,
    }
    this.#writes.set(write.op, watched)
    try {
      const reply = await send()
      if (watched.landed === 0) this.#broken(watched, 'is reported as written, but is not')
      return reply
    } catch (error) {
      this.#checkError(watched, error)
      throw error
    } finally {
      watched.endedAt = ++this.#moment
    }
  }

  #ownLanded(op: string, isCopy: boolean): void {
    const write = this.#writes.get(op)
    if (write === undefined) return
    const before = this.#landed.get(write.row) ?? []
    this.#landed.set(write.row, [...before, write])
    write.landed++
    if (!isCopy) write.landedAtOnce = true
    if (write.how === 'transact') {
      if (write.landed > 1) this.#broken(write, 'was applied twice')
      return
    }
    const own = before.filter((other) => isOfLeader(other, write))
    const newer = own.find((other) => other.isAlone && other.beganAt > write.endedAt && !this.#overlapsPut(other))
    if (newer !== undefined) this.#broken(write, `landed after ${newer.op}, which was sent when it had ended`)
    if (write.landed === 1) return
    const since = own.slice(own.lastIndexOf(write) + 1)
    const besidePut = since.length > 0 && [write, ...since].some((one) => this.#overlapsPut(one))
    if (!besidePut) this.#broken(write, 'was applied twice')
  }

  /** The row of a Put is unknown: while a Put of the same leader is under way, no other write counts as ended. */
  #overlapsPut(write: Watched): boolean {
    const overlaps = (put: Watched) => put.beganAt <= write.endedAt && put.endedAt >= write.beganAt
    return [...this.#writes.values()].some((put) => put.isPut === true && isOfLeader(put, write) && overlaps(put))
  }

  #checkError(write: Watched, error: unknown): void {
    const applied = appliedBy(error)
    const name = error instanceof Error ? error.name : ''
    if (applied === 'no' && write.landedAtOnce) this.#broken(write, `has landed, but is reported as refused (${name})`)
    if (applied === 'yes' && write.landed === 0) this.#broken(write, 'is reported as applied, but is not')
    if (write.how === 'send' && name === 'ConditionalCheckFailedException' && write.isConditional !== true) {
      this.#broken(write, 'was refused, though no newer leader has written the row')
    }
  }

  #broken({ op, row, token }: Watched, what: string): void {
    this.#world.broken('S6', `${op}, a write of token ${token} to row ${row}, ${what}`)
  }

  /** At the end: each tick that was completed with effects has them, and no other tick has. */
  checkCompletions(): void {
    const counted = this.#world.database.rows(PROTECTED).filter(({ times }) => times !== undefined)
    const done = new Set(counted.map(({ id }) => textOf(id)))
    for (const [period, { tenure }] of this.#world.leases.completed) {
      const tick = new Date(period * this.#world.setting.periodMs).toISOString()
      if (!done.delete(`done ${tick}`)) {
        this.#world.broken('S5', `${nameOf(tenure)} completed the tick ${tick} without its effects`)
      }
    }
    for (const id of done) this.#world.broken('S5', `the effects of ${id} happened, but its tick is not completed`)
  }
}

function isOfLeader(other: Watched, { token }: OwnWrite): boolean {
  return other.token === token && other.how === 'send'
}

function isUnderWay({ endedAt }: Watched): boolean {
  return endedAt === Number.POSITIVE_INFINITY
}

/** What the error says about the write. An error of DynamoDB with a status below 500 says that it was not applied. */
function appliedBy(error: unknown): 'yes' | 'no' | 'unknown' {
  if (error instanceof StaleTokenError || error instanceof LeaseStoreError) return error.applied
  return isObject(error) && error['$fault'] === 'client' ? 'no' : 'unknown'
}
