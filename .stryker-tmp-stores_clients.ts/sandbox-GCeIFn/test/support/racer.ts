/**
 * One candidate as a process: it asks for a tick when its parent orders it, and reports the outcome. A leader reports
 * before its effect and continues only when its parent orders it, so that a killed leader dies during its task.
 */
// @ts-nocheck

import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBLeaseStore, type LeaseOptions, type Outcome, withLease } from '../../functions/election/index.ts'
import { localClient } from './tables.ts'

/** Ask for the tick at `startAtMs` by the wall clock, which all processes share. */
export interface RaceOrder extends Pick<LeaseOptions, 'lease' | 'leaseMs' | 'maxClockSkewMs'> {
  readonly tick: string
  readonly startAtMs: number
}
export type Order = RaceOrder | 'goOn'

export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'leading'; readonly fencingToken: number; readonly inherited: unknown }
  | { readonly kind: 'ended'; readonly outcome: Outcome<void> }
  | { readonly kind: 'failed'; readonly error: string }

const { ENDPOINT = '', LEASE_TABLE = '', EFFECTS_TABLE = '' } = process.env
const store = new DynamoDBLeaseStore({ tableName: LEASE_TABLE, client: localClient(ENDPOINT) })
let goOn = () => {}

const report = (message: Report) => void process.send?.(message)

async function race({ startAtMs, ...options }: RaceOrder): Promise<Outcome<void>> {
  await sleep(Math.max(0, startAtMs - Date.now()))
  return await withLease({ ...options, store, candidate: `racer-${process.pid}` }, async (leader) => {
    const ordered = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const inherited = leader.checkpoint
    await leader.saveCheckpoint({ startedBy: process.pid })
    report({ kind: 'leading', fencingToken: leader.fencingToken, inherited })
    await ordered
    await leader.send({
      TableName: EFFECTS_TABLE,
      Key: { lease: options.lease, record: 'EFFECTS' },
      UpdateExpression: 'ADD #tick :one',
      ExpressionAttributeNames: { '#tick': options.tick },
      ExpressionAttributeValues: { ':one': 1 },
    })
  })
}

process.on('disconnect', () => process.exit())
process.on('message', (order: Order) => {
  if (order === 'goOn') return goOn()
  race(order).then(
    (outcome) => report({ kind: 'ended', outcome }),
    (error: unknown) => report({ kind: 'failed', error: String(error) }),
  )
})
report({ kind: 'ready' })
