import { LeaseStoreError, StaleTokenError } from './errors.ts'
import { explainRefusedWrite, type FencedWrite, fence, readSeen } from './fencing.ts'
import type { Effects, Row, SendReply, WriteInput } from './stores/store.ts'

type Refused = Extract<SendReply, { granted: false }>

/**
 * One leader's writes to protected rows: fences and numbers each, and finds out what became of one that was refused. A
 * refusal may come from the second try of a write whose first try was applied and whose reply was lost.
 */
export class FencedWrites {
  readonly #lease: string
  readonly #fencingToken: number
  #step = 0
  /** The steps under way, lowest first, and the rows that they are for. */
  readonly #underWay = new Map<number, RowName>()

  constructor(lease: string, fencingToken: number) {
    this.#lease = lease
    this.#fencingToken = fencingToken
  }

  /** For a write that the caller sends itself. */
  get unnumbered(): FencedWrite {
    return { fencingToken: this.#fencingToken, step: 0, settled: this.#settledFor(() => true) }
  }

  /** @throws StaleTokenError, LeaseStoreError if it may have been applied, and what else DynamoDB refused it for, as it came */
  async send(input: WriteInput, effects: Effects): Promise<Row | undefined> {
    const row = rowOf(input)
    const settled = this.#settledFor((other) => mayBeSame(row, other))
    const step = ++this.#step
    this.#underWay.set(step, row)
    const write = { fencingToken: this.#fencingToken, step, settled }
    try {
      const reply = await effects.send(fence(input, this.#lease, write))
      return reply.granted ? reply.attributes : this.#refused(input, write, reply, effects)
    } finally {
      this.#underWay.delete(step)
    }
  }

  #settledFor(concerns: (row: RowName) => boolean): number {
    const [lowest = this.#step + 1] = [...this.#underWay].flatMap(([step, row]) => (concerns(row) ? [step] : []))
    return lowest - 1
  }

  #refused(input: WriteInput, write: FencedWrite, reply: Refused, effects: Effects): Row | undefined {
    const { cause, unanswered, conditionFailed } = reply
    if (conditionFailed === undefined) throw unanswered ? this.#mayBeApplied(input, cause) : cause
    const { item } = conditionFailed
    const seen = readSeen(item, this.#lease)
    const found = explainRefusedWrite(seen, write)
    if (found === 'stale') throw this.#stale(seen.fencingToken, reply)
    if (found === 'mine' && item !== undefined) return this.#attributes(input, item, reply, effects)
    const isDeletion = !('Item' in input) && !('UpdateExpression' in input)
    const traceless = found === 'covered' || (isDeletion && item === undefined)
    throw unanswered && traceless ? this.#mayBeApplied(input, cause) : cause
  }

  /** What the reply that was lost would have said. */
  #attributes(input: WriteInput, item: NonNullable<Item>, reply: Refused, effects: Effects): Row | undefined {
    switch (input.ReturnValues) {
      case 'ALL_NEW':
      case 'UPDATED_NEW': // with more attributes than were updated
        return effects.toRow(item)
      case 'ALL_OLD':
      case 'UPDATED_OLD':
        throw new LeaseStoreError(
          `The write to table "${input.TableName}" was applied, but the reply with the row's old values was lost. Do not repeat it.`,
          { lease: this.#lease, retryable: false, applied: 'yes', cause: reply.cause },
        )
      default:
        return undefined
    }
  }

  #stale(seenToken: number | undefined, { unanswered, cause }: Refused): StaleTokenError {
    const outcome = unanswered
      ? 'An earlier try of this write got no answer, and may have been applied before that.'
      : 'Nothing was written.'
    return new StaleTokenError(
      `The row was already written under token ${seenToken} of lease "${this.#lease}"; this leader has ${this.#fencingToken} and was replaced. ${outcome}`,
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
      `A try of a write to table "${input.TableName}" got no answer, and the next one was refused (${cause.name}): it may have been applied. Read the row before you write it again.`,
      { lease: this.#lease, retryable: false, applied: 'unknown', cause },
    )
  }
}

interface RowName {
  readonly table: string
  /** Absent if it cannot be told: which attributes of a Put are its key, or what a binary key is made of. */
  readonly key?: string
}

function rowOf(input: WriteInput): RowName {
  const { TableName = '' } = input
  const table = TableName.slice(TableName.lastIndexOf('/') + 1) // of an ARN
  if ('Item' in input) return { table }
  const values = Object.entries(input.Key ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))
  if (!values.every(([, value]) => ['string', 'number', 'bigint'].includes(typeof value))) return { table }
  // A number may be given in more than one way.
  const plain = values.map(([name, value]) => [name, typeof value === 'string' ? value : Number(value)])
  return { table, key: JSON.stringify(plain) }
}

function mayBeSame(one: RowName, other: RowName): boolean {
  return one.table === other.table && (one.key === undefined || other.key === undefined || one.key === other.key)
}

type Item = NonNullable<Refused['conditionFailed']>['item']
