/**
 * How many promises settle one after the other within the layers of the SDK, on each side of the wire. Where two calls of a
 * process go on at one instant, a renewal and the task, say, the one that has fewer to wait for is ahead: the short client
 * has to wait as long. What that is changes with the SDK and with how a client is made, so it is measured, not written down.
 */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { pathsThrough } from '../../../functions/election/stores/clients.ts'
import type { Reply, Wire } from './wire.ts'

export interface Turns {
  readonly before: number
  readonly after: number
}

/** The store's two paths through the client, and the client itself, as billing uses it. */
export type Way = 'leases' | 'effects' | 'lent'
const WAYS: readonly Way[] = ['leases', 'effects', 'lent']

/** What the number depends on. */
export interface Call {
  readonly way: Way
  readonly isDocument: boolean
  /** Ways that the client was used by before: each makes parts of its own at its first call. */
  readonly used: ReadonlySet<Way>
  readonly hasSignal: boolean
  readonly fails: boolean
}

type ClientOf = (wire: Pick<Wire, 'send'>) => DynamoDBDocumentClient

const EITHER = [false, true]

/** By how much one client takes longer than the other. */
export async function differenceOfTurns(longer: ClientOf, shorter: ClientOf): Promise<(call: Call) => Turns> {
  const differences = new Map<string, Turns>()
  for (const call of calls()) {
    const [more, less] = [await turnsOf(longer, call), await turnsOf(shorter, call)]
    differences.set(keyOf(call), { before: more.before - less.before, after: more.after - less.after })
  }
  return (call) => differences.get(keyOf(call)) ?? { before: 0, after: 0 }
}

function* calls(): Iterable<Call> {
  const subsets = Array.from({ length: 2 ** WAYS.length }, (_, bits) => WAYS.filter((_, nth) => bits & (1 << nth)))
  for (const way of WAYS) {
    for (const isDocument of way === 'leases' ? EITHER : [true]) {
      for (const used of subsets) {
        for (const hasSignal of EITHER) {
          for (const fails of EITHER) yield { way, isDocument, used: new Set(used), hasSignal, fails }
        }
      }
    }
  }
}

function keyOf({ way, isDocument, used, hasSignal, fails }: Call): string {
  return `${way} ${isDocument} ${WAYS.filter((one) => used.has(one))} ${hasSignal} ${fails}`
}

async function turnsOf(clientOf: ClientOf, { way, isDocument, used, hasSignal, fails }: Call): Promise<Turns> {
  const counter = new Counter()
  let before = 0
  const client = clientOf({
    send: () => {
      before = counter.stop()
      return new Promise((resolve) => {
        setImmediate(() => {
          counter.start()
          resolve(replyTo(fails))
        })
      })
    },
  })
  const key = { TableName: 'none', UpdateExpression: 'SET a = :a', ReturnValues: 'ALL_OLD' as const }
  const options = hasSignal ? { abortSignal: new AbortController().signal } : {}
  const ways = { ...pathsThrough(client), lent: client }
  const documents = (by: Way) =>
    ways[by].send(new UpdateCommand({ ...key, Key: { id: 1 }, ExpressionAttributeValues: { ':a': 1 } }), options)
  const items = (by: Way) =>
    ways[by].send(
      new UpdateItemCommand({ ...key, Key: { id: { N: '1' } }, ExpressionAttributeValues: { ':a': { N: '1' } } }),
      options,
    )
  for (const before of used) await documents(before).catch(() => undefined)
  counter.start()
  const failed = await (isDocument ? documents(way) : items(way)).then(
    () => false,
    () => true,
  )
  const after = counter.stop()
  if (failed !== fails) throw new Error('The call that was to be measured took another course')
  return { before, after }
}

function replyTo(fails: boolean): Reply {
  const dateMs = Date.now()
  if (!fails) return { status: 200, body: {}, dateMs }
  return { status: 400, body: { __type: 'none#ConditionalCheckFailedException', message: 'none' }, dateMs }
}

/** Counts promises that settle one after the other while it runs. */
class Counter {
  #count = 0
  #run = 0

  start(): void {
    this.#count = 0
    void this.#turn(++this.#run)
  }

  stop(): number {
    this.#run++
    return this.#count
  }

  async #turn(run: number): Promise<void> {
    while (this.#run === run) {
      await undefined
      this.#count++
    }
  }
}
