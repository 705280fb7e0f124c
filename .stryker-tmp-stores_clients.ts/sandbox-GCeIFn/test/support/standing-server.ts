/**
 * One server as a process: it stands for the lease `jobs` from its start on, and reports when a turn begins and ends.
 * SIGTERM ends its campaign. While it leads it writes its token to the protected row, over and over.
 */
// @ts-nocheck

import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBLeaseStore, Election } from '../../functions/election/index.ts'
import { localClient } from './tables.ts'

export type Report =
  | { readonly kind: 'ready' | 'left' }
  | { readonly kind: 'began' | 'ended'; readonly token: number; readonly atMs: number; readonly reason?: string }

const { ENDPOINT = '', LEASE_TABLE = '', EFFECTS_TABLE = '', LEASE_MS = '', NAME = '' } = process.env
const report = (message: Report) => void process.send?.(message)
const store = new DynamoDBLeaseStore({ tableName: LEASE_TABLE, client: localClient(ENDPOINT) })
const stopping = new AbortController()
process.on('SIGTERM', () => stopping.abort())
process.on('disconnect', () => process.exit())

const options = { leaseMs: Number(LEASE_MS), maxClockSkewMs: 200, pollMs: 200, refreshMs: 1_000, headStartMs: 100 }
const election = new Election({ store, lease: 'jobs', candidate: NAME, ...options })
report({ kind: 'ready' })
for await (const lease of election.campaign({ signal: stopping.signal })) {
  const token = lease.fencingToken
  report({ kind: 'began', token, atMs: Date.now() })
  const key = { TableName: EFFECTS_TABLE, Key: { lease: 'jobs', record: 'EFFECTS' } }
  while (!lease.signal.aborted) {
    await lease.claim(key).catch(() => undefined)
    await sleep(20)
  }
  report({ kind: 'ended', token, atMs: Date.now(), reason: String(lease.signal.reason?.name) })
}
report({ kind: 'left' })
process.disconnect()
