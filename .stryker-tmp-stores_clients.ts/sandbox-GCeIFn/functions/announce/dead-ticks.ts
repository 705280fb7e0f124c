/**
 * Judges dead letters, the events that Scheduler could not deliver or that Lambda gave up. Most are benign: another
 * event's leader has completed their tick, or a later leader has it among its missed ticks. A tick is dead if neither
 * holds, and no leader works: then it waits for the next tick, or for an operator.
 */
// @ts-nocheck

import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { parseJson, property } from '../election/json.ts'
import { count, type Measure } from '../election/measurements.ts'
import { isLeaseName, LEASE_NAME_RULE } from '../election/options.ts'
import type { LeaseRecord } from '../election/rules.ts'
import { LEASE_RECORD, readRow } from '../election/stores/row.ts'
import { canonicalTick, tickOfEvent } from '../election/tick.ts'
import type { Log } from './announce.ts'
import { checkEach } from './each-lease.ts'

export interface Letter {
  readonly messageId: string | undefined
  /** Undefined if the event has no readable tick: an operator has to look at it. */
  readonly tick: string | undefined
}

export type Verdict = 'closed' | 'missed' | 'working' | 'dead'

export function verdictOn(tick: string, row: LeaseRecord | undefined, nowMs: number): Verdict {
  if (row === undefined) return 'dead'
  const { completedTick = '', tick: lastTick = '' } = row
  if (tick <= completedTick) return 'closed'
  // The ticks that a leader missed are found anew by each later one, until one of them completes its own.
  if (tick < lastTick) return 'missed'
  return isAtWork(row, nowMs) ? 'working' : 'dead'
}

function isAtWork({ holder, expiresAtMs, reservedUntilMs = 0, reservedBy, fencingToken }: LeaseRecord, nowMs: number) {
  return holder === undefined ? reservedBy === fencingToken && reservedUntilMs > nowMs : expiresAtMs > nowMs
}

export interface DeadTickCheckOptions {
  readonly letters: (queueUrl: string) => Promise<readonly Letter[]>
  readonly row: (lease: string) => Promise<LeaseRecord | undefined>
  readonly measure: Measure
  readonly log: Pick<Log, 'warn' | 'error'>
  /** Wall clock, epoch ms. @default Date.now */
  readonly now?: () => number
}

/**
 * Measures `ticksDead` and `deadLettersBenign` of each lease that the event names.
 * @throws RangeError for a wrong event; Error at the end, if a lease could not be checked
 */
export function deadTickCheck({ letters, row, measure, log, now = Date.now }: DeadTickCheckOptions) {
  return async (event: unknown): Promise<void> => {
    await checkEach(readWatchedQueues(event), 'dead ticks', log, async ({ lease, queues }) => {
      const found = (await Promise.all(queues.map(letters))).flat()
      const nowMs = now()
      const record = found.length === 0 ? undefined : await row(lease)
      const judged = found.map((letter) => {
        const verdict = letter.tick === undefined ? 'dead' : verdictOn(letter.tick, record, nowMs)
        return { ...letter, verdict }
      })
      const dead = new Map(judged.filter(({ verdict }) => verdict === 'dead').map((letter) => [letter.tick, letter]))
      const benign = judged.filter(({ verdict }) => verdict === 'closed' || verdict === 'missed').length
      for (const { tick, messageId } of dead.values()) log.warn('a tick is dead', { lease, tick, messageId })
      const ofBenign = benign === 0 ? [] : [count('deadLettersBenign', benign)]
      measure(lease, [count('ticksDead', dead.size), ...ofBenign], { atMs: nowMs })
    })
  }
}

export interface WatchedQueues {
  readonly lease: string
  /** URLs of its failure queues. */
  readonly queues: readonly string[]
}

/** Reads the event `{ deadLetters: [{ lease, queues }] }`. @throws RangeError for any other */
export function readWatchedQueues(event: unknown): readonly WatchedQueues[] {
  const entries = property(event, 'deadLetters')
  const watched = Array.isArray(entries) ? entries.flatMap(readWatched) : []
  if (Array.isArray(entries) && watched.length === entries.length) return watched
  throw new RangeError(
    'The event of the check for dead ticks is wrong. Give { "deadLetters": [{ "lease": "billing", ' +
      `"queues": ["https://sqs…"] }] } as the schedule's input: each lease is ${LEASE_NAME_RULE}`,
  )
}

function readWatched(entry: unknown): WatchedQueues[] {
  const [lease, given] = [property(entry, 'lease'), property(entry, 'queues')]
  const queues = Array.isArray(given) ? given.filter((url) => typeof url === 'string') : []
  const isWhole = Array.isArray(given) && queues.length === given.length
  return typeof lease === 'string' && isLeaseName(lease) && isWhole ? [{ lease, queues }] : []
}

/** More are not read: a purge of the queue then helps. */
const MOST_LETTERS = 1_000
/** For so long each letter is hidden from others: a queue is read in less. Nothing is removed from it. */
const HIDDEN_S = 30

/** Reads the letters of a queue. With a wait, since without one SQS asks only some of its servers. */
export function queuedLetters(client: SQSClient): DeadTickCheckOptions['letters'] {
  return async (QueueUrl) => {
    const letters: Letter[] = []
    while (letters.length < MOST_LETTERS) {
      const request = { QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: HIDDEN_S, WaitTimeSeconds: 1 }
      const command = new ReceiveMessageCommand({ ...request, MessageAttributeNames: [SCHEDULED_TIME] })
      const { Messages = [] } = await client.send(command)
      if (Messages.length === 0) break
      letters.push(...Messages.map(readLetter))
    }
    return letters
  }
}

/**
 * The scheduled time, of a letter of Scheduler: perhaps its body has the input as it was before the time was put in.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
 */
const SCHEDULED_TIME = 'SCHEDULED_TIME'

/** Scheduler's letter is the event; Lambda's has it as `requestPayload`. */
export function readLetter({ MessageId: messageId, Body = '', MessageAttributes }: Message): Letter {
  const letter = parseJson(Body)
  try {
    const { tick, periodMs } = tickOfEvent(property(letter, 'requestPayload') ?? letter)
    const scheduled = MessageAttributes?.[SCHEDULED_TIME]?.StringValue
    return { messageId, tick: canonicalTick(scheduled ?? tick, periodMs) }
  } catch {
    return { messageId, tick: undefined }
  }
}

/** Reads lease rows, without their checkpoints. */
export function leaseRows(client: DynamoDBClient, TableName: string): DeadTickCheckOptions['row'] {
  return async (lease) => {
    const Key = { lease: { S: lease }, record: { S: LEASE_RECORD } }
    const { Item } = await client.send(new GetItemCommand({ TableName, Key }))
    if (Item === undefined) return undefined
    const { checkpoint: _checkpoint, ...row } = Item
    return readRow(row, lease)
  }
}
