/** The lease of the billing stack: its row, its history, its leader and the function's log. */
// @ts-nocheck

import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { type AttributeValue, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { historyKey } from '../../functions/announce/history-row.ts'
import type { LeaseRecord } from '../../functions/election/rules.ts'
import { LEASE_RECORD, readRow } from '../../functions/election/stores/row.ts'
import { type Emulator, invocations } from './emulator.ts'
import { until } from './program.ts'
import type { DeployedStack } from './stack.ts'

export const LEASE = 'billing'

export async function leaseRow(stack: DeployedStack): Promise<LeaseRecord | undefined> {
  const item = await itemOf(stack, LEASE_RECORD)
  return item === undefined ? undefined : readRow(item, LEASE)
}

export function historyRow(stack: DeployedStack, fencingToken: number) {
  return itemOf(stack, historyKey({ lease: LEASE, fencingToken }).record)
}

async function itemOf(
  { clients, tables }: DeployedStack,
  record: string,
): Promise<Record<string, AttributeValue> | undefined> {
  const Key = { lease: { S: LEASE }, record: { S: record } }
  const command = new GetItemCommand({ TableName: tables.leases, Key, ConsistentRead: true })
  return (await clients.dynamodb.send(command)).Item
}

export async function untilCompleted(stack: DeployedStack, tick: string): Promise<LeaseRecord> {
  const row = await until(`the tick ${tick} is completed`, async () => {
    const seen = await leaseRow(stack)
    return { done: seen?.completedTick === tick && seen.holder === undefined, seen }
  })
  if (row === undefined) throw new Error('There is no lease row')
  return row
}

/**
 * Waits until the tick has a leader and the other candidates have ended: then the only process of the function is the
 * leader's.
 */
export async function untilLeading(emulator: Emulator, stack: DeployedStack, tick: string) {
  const { leader } = await until(`one process leads the tick ${tick}`, async () => {
    const row = await leaseRow(stack)
    const working = (await invocations(emulator)).filter((each) => each.function === stack.functionName)
    const [only] = working
    const found = row?.tick === tick && row.holder !== undefined && working.length === 1 && only !== undefined
    const leader = found ? { ...only, fencingToken: row.fencingToken, eventId: row.eventId } : undefined
    return { done: found, seen: { row, working, leader } }
  })
  if (leader === undefined) throw new Error('There is no leader')
  return leader
}

export interface LogLine {
  readonly message: string
  readonly [field: string]: unknown
}

/** All lines so far, in their order. Lambda's own lines have only a message. */
export async function logLines(
  { clients, logGroup }: DeployedStack,
  logGroupName = logGroup,
): Promise<readonly LogLine[]> {
  const lines: LogLine[] = []
  let nextToken: string | undefined
  do {
    const page = await clients.logs.send(new FilterLogEventsCommand({ logGroupName, nextToken }))
    for (const { message = '' } of page.events ?? []) {
      // A metric is JSON without a message.
      lines.push(message.startsWith('{') ? { message: '', ...JSON.parse(message) } : { message })
    }
    nextToken = page.nextToken
  } while (nextToken !== undefined)
  return lines
}

/** The tenures in which the task began, of one tick or of all. */
export function tenuresIn(lines: readonly LogLine[], ofTick?: string) {
  return lines
    .filter(({ message, tick }) => message === 'leading' && [undefined, tick].includes(ofTick))
    .map(({ tick, fencingToken }) => ({ tick: String(tick), fencingToken: Number(fencingToken) }))
}

/** The number of invocations, retries included. */
export function invocationsIn(lines: readonly LogLine[]): number {
  return lines.filter(({ message }) => message.startsWith('START RequestId: ')).length
}

/** Waits until the log contains this number of invocations. The emulator logs an invocation when it ends. */
export async function untilLogged(stack: DeployedStack, invocations: number): Promise<readonly LogLine[]> {
  const { lines } = await until(`${invocations} invocations in the log`, async () => {
    const lines = await logLines(stack)
    return { done: invocationsIn(lines) >= invocations, seen: { invocations: invocationsIn(lines), lines } }
  })
  return lines
}
