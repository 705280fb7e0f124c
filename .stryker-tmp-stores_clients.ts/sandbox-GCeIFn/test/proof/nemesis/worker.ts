/**
 * A candidate in a process of its own: in a loop it acquires the lease, through the shipped library and the real SDK,
 * and adds an item or two to the protected row while it leads.
 */
// @ts-nocheck

import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import {
  DynamoDBLeaseStore,
  InvalidOptionError,
  InvalidTickError,
  type Lease,
  systemClock,
  withLease,
} from '../../../functions/election/index.ts'
import { mulberry32 } from '../../../infra/programs/random.ts'
import { localClient } from '../../support/tables.ts'
import { LEASE, LEASE_MS, MAX_CLOCK_SKEW_MS, PROTECTED_KEY } from './history.ts'

/** What the worker reads from the environment variable NEMESIS_WORKER, as JSON. */
export interface WorkerConfig {
  readonly who: string
  readonly isFenced: boolean
  readonly seed: number
  readonly endpoint: string
  readonly leaseTable: string
  readonly protectedTable: string
  readonly clockOffsetMs: number
}

/** Ticks are so short that the next one is due soon after a completion. */
const TICK_MS = 50
const CHANCE_OF_A_SECOND_ADDITION = 0.5
const CHANCE_TO_RELEASE = 0.1
/** Only a programming error throws these, and no fault: they end the process, and the run. */
const NEVER = [TypeError, RangeError, ReferenceError, InvalidOptionError, InvalidTickError]

const config: WorkerConfig = JSON.parse(process.env['NEMESIS_WORKER'] ?? '')
const { who, isFenced } = config
const row = { TableName: config.protectedTable, Key: PROTECTED_KEY }
const random = mulberry32(config.seed)
const clock = { ...systemClock, wallMs: () => Date.now() + config.clockOffsetMs }
const client = localClient(config.endpoint, {
  customUserAgent: [['who', who]],
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 250, requestTimeout: 250, throwOnRequestTimeout: true },
})
const documents = DynamoDBDocumentClient.from(client)
const store = new DynamoDBLeaseStore({ tableName: config.leaseTable, client, clock })
let isEnding = false

async function add(lease: Lease, name: string): Promise<void> {
  let additions = await read(lease)
  await sleep(2 + random() * 20)
  const names = random() < CHANCE_OF_A_SECOND_ADDITION ? [name, `${name}-again`] : [name]
  for (const addition of names) {
    additions = [...additions, addition]
    const ExpressionAttributeValues = { ':additions': additions }
    const input = { ...row, UpdateExpression: 'SET additions = :additions', ExpressionAttributeValues }
    lease.assertHeld()
    await (isFenced ? lease.send(input) : documents.send(new UpdateCommand(input)))
  }
}

async function read(lease: Lease): Promise<readonly string[]> {
  const item = isFenced
    ? await lease.claim(row)
    : (await documents.send(new GetCommand({ ...row, ConsistentRead: true }))).Item
  const additions: unknown = item?.['additions']
  return Array.isArray(additions) ? additions.map(String) : []
}

async function operate(name: string): Promise<void> {
  const tick = new Date(Math.floor(clock.wallMs() / TICK_MS) * TICK_MS)
  const times = { leaseMs: LEASE_MS, maxClockSkewMs: MAX_CLOCK_SKEW_MS, clock, tick }
  const options = { store, lease: LEASE, candidate: who, ...times }
  try {
    await withLease(options, async (lease) => {
      await add(lease, name)
      if (random() < CHANCE_TO_RELEASE) await lease.release()
    })
  } catch (error) {
    const isBug = NEVER.some((type) => error instanceof type)
    if (isBug || !(error instanceof Error) || error.name === 'ValidationException') throw error
  }
}

process.on('disconnect', () => process.exit())
process.on('message', () => {
  isEnding = true
})
process.send?.('ready')
for (let n = 1; !isEnding; n++) {
  await operate(`${who}-${n}`)
  await sleep(10 + random() * 50)
}
process.exit(0)
