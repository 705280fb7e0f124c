// @ts-nocheck
import { LeaseStoreError, StaleTokenError } from './errors.ts'
import { explainRefusedWrite, type FencedWrite, fence, readSeen } from './fencing.ts'
import type { Effects, Row, SendReply, WriteInput } from './stores/store.ts'
import { Turns } from './turns.ts'

type Refused = Extract<SendReply, { granted: false }>

/**
 * One leader's writes to protected rows: fences and numbers each, and finds out whether a refused one was applied. A
 * refusal may be the answer to the second try of a write whose first try was applied, and whose reply was lost. The row
 * keeps the last write only, so writes to one row are sent one after the other. A Put does not show which of its
 * attributes are the key, so its row is unknown and it is sent at once.
 */
export class FencedWrites {
  readonly #lease: string
  readonly #fencingToken: number
  #step = 0
  readonly #tables = new Map<string, Table>()

  constructor(lease: string, fencingToken: number) {
    this.#lease = lease
    this.#fencingToken = fencingToken
  }

  /** For a write that the caller sends itself. */
  unnumbered(input: object): FencedWrite {
    const { unkeyed, keyed } = this.#tableOf(String(Reflect.get(input, 'TableName')))
    const settled = Math.min(lowest(unkeyed), lowest(keyed), this.#step + 1) - 1
    return { fencingToken: this.#fencingToken, step: 0, settled }
  }

  /** @throws StaleTokenError; LeaseStoreError if it may have been applied; and DynamoDB's other refusals, unchanged */
  async send(input: WriteInput, effects: Effects, beforeSend: () => void): Promise<Row | undefined> {
    const table = this.#tableOf(String(input.TableName))
    const key = keyOf(input)
    if (key === undefined) return await this.#sendNow(input, table, effects, false)
    const turns = table.rows.get(key) ?? new Turns(1)
    table.rows.set(key, turns)
    try {
      return await turns.take(async () => {
        beforeSend() // an earlier write may have taken its time, or found that the lease is lost
        return await this.#sendNow(input, table, effects, true)
      })
    } finally {
      if (turns.isFree) table.rows.delete(key)
    }
  }

  async #sendNow(
    input: WriteInput,
    { unkeyed, keyed }: Table,
    effects: Effects,
    isKeyed: boolean,
  ): Promise<Row | undefined> {
    const step = ++this.#step
    // All earlier writes to the row of a keyed write have ended, except those whose row is unknown.
    const settled = Math.min(lowest(unkeyed), isKeyed ? step : lowest(keyed), step) - 1
    const mine = isKeyed ? keyed : unkeyed
    mine.add(step)
    const write = { fencingToken: this.#fencingToken, step, settled }
    try {
      const reply = await effects.send(fence(input, this.#lease, write))
      if (!reply.granted) return this.#refused(input, write, reply, effects)
      if (reply.unanswered && reply.attributes === undefined && isDeletion(input)) this.#assertOldIsKnown(input)
      return reply.attributes
    } finally {
      mine.delete(step)
    }
  }

  #tableOf(name: string): Table {
    const table = name.slice(name.lastIndexOf('/') + 1) // of an ARN
    const known = this.#tables.get(table)
    if (known !== undefined) return known
    const made: Table = { unkeyed: new Set(), keyed: new Set(), rows: new Map() }
    this.#tables.set(table, made)
    return made
  }

  #refused(input: WriteInput, write: FencedWrite, reply: Refused, effects: Effects): Row | undefined {
    const { cause, unanswered, conditionFailed } = reply
    if (conditionFailed === undefined) throw unanswered ? this.#mayBeApplied(input, cause) : cause
    const { item } = conditionFailed
    const seen = readSeen(item, this.#lease)
    const found = explainRefusedWrite(seen, write)
    if (found === 'stale') throw this.#stale(seen.fencingToken, reply)
    if (found === 'mine' && item !== undefined) return this.#attributes(input, item, reply, effects)
    const traceless = found === 'covered' || (isDeletion(input) && item === undefined)
    throw unanswered && traceless ? this.#mayBeApplied(input, cause) : cause
  }

  /** The attributes of the reply that was lost. */
  #attributes(input: WriteInput, item: NonNullable<Item>, reply: Refused, effects: Effects): Row | undefined {
    switch (input.ReturnValues) {
      case 'ALL_NEW':
      case 'UPDATED_NEW': // returns more attributes than were updated
        return effects.toRow(item)
      default:
        this.#assertOldIsKnown(input, reply.cause)
        return undefined
    }
  }

  /** For a write whose applied try got no reply. */
  #assertOldIsKnown({ ReturnValues, TableName }: WriteInput, cause?: Error): void {
    if (ReturnValues !== 'ALL_OLD' && ReturnValues !== 'UPDATED_OLD') return
    throw new LeaseStoreError(
      `The write to table "${TableName}" was applied, but the reply with the row's old values was lost. ` +
        'Do not repeat it.',
      { lease: this.#lease, retryable: false, applied: 'yes', cause },
    )
  }

  #stale(seenToken: number | undefined, { unanswered, cause }: Refused): StaleTokenError {
    const outcome = unanswered
      ? 'An earlier try of this write got no answer, and may have been applied before that.'
      : 'Nothing was written.'
    return new StaleTokenError(
      `The row was already written under token ${seenToken} of lease "${this.#lease}"; ` +
        `this leader has ${this.#fencingToken} and was replaced. ${outcome}`,
      {
        lease: this.#lease,
        fencingToken: this.#fencingToken,
        seenToken,
        applied: unanswered ? 'unknown' : 'no',
        cause,
      },
    )
  }

  #mayBeApplied(input: WriteInput, cause: Error): LeaseStoreError {
    return new LeaseStoreError(
      `A try of a write to table "${input.TableName}" got no answer, and the next one was refused (${cause.name}): ` +
        'it may have been applied. Read the row before you write it again.',
      { lease: this.#lease, retryable: false, applied: 'unknown', cause },
    )
  }
}

type Item = NonNullable<Refused['conditionFailed']>['item']

interface Table {
  /** The steps under way, lowest first: of writes whose row is unknown, and of all others. */
  readonly unkeyed: Set<number>
  readonly keyed: Set<number>
  /** Rows with writes under way. */
  readonly rows: Map<string, Turns>
}

function lowest([first = Number.POSITIVE_INFINITY]: Iterable<number>): number {
  return first
}

function isDeletion(input: WriteInput): boolean {
  return !('Item' in input) && !('UpdateExpression' in input)
}

/** Equal for equal keys, although a number can be given in several ways; undefined if the row is unknown. */
function keyOf(input: WriteInput): string | undefined {
  if ('Item' in input) return undefined
  const values = Object.entries(input.Key ?? {})
  const plain = values.map(([name, value]) => [name, typeof value === 'string' ? value : Number(value)])
  return plain.some(([, value]) => Number.isNaN(value)) ? undefined : JSON.stringify(plain.toSorted())
}
