/**
 * The program of each server of a standing run: it stands for the lease until SIGTERM. While it leads, it proclaims its
 * process id and appends to the protected row over and over. The host sets its clock, by messages in milliseconds.
 */
// @ts-nocheck

import { setTimeout as sleep } from 'node:timers/promises'
import { Election, type StandingLease } from '../../../functions/election/index.ts'
import { setClockSkew } from '../lambda-host/skewed-date.ts'
import { B_MS, LOG, POLL_MS, REFRESH_MS } from './times.ts'

const APPEND_EVERY_MS = 200
const { CANDIDATE = '', CLOCK_SKEW_MS, WORK_TABLE } = process.env
setClockSkew(Number(CLOCK_SKEW_MS))
const stopping = new AbortController()
process.on('SIGTERM', () => stopping.abort())
process.on('message', (skewMs) => setClockSkew(Number(skewMs)))
process.on('disconnect', () => process.exit()) // the host has ended

/** The longer it has been running, the better: one that was started again must not lead again at once. */
const merit = () => Math.floor(process.uptime())
const times = { maxClockSkewMs: B_MS, pollMs: POLL_MS, refreshMs: REFRESH_MS, headStartMs: 200, drainMs: 1_000 }
const election = new Election({ candidate: CANDIDATE, merit, ...times })
for await (const lease of election.campaign({ signal: stopping.signal })) {
  try {
    await lease.proclaim({ pid: process.pid })
    await appendUntilAsked(lease)
  } catch {
    // It lost the lease, or DynamoDB did not answer: the turn ends, and it stands again.
  }
}
process.disconnect()

async function appendUntilAsked(lease: StandingLease): Promise<void> {
  while (!lease.signal.aborted) {
    await lease.send({
      TableName: WORK_TABLE,
      Key: { id: LOG },
      UpdateExpression: 'ADD appended :one',
      ExpressionAttributeValues: { ':one': 1 },
      ReturnValues: 'UPDATED_NEW',
    })
    await sleep(APPEND_EVERY_MS, undefined, { signal: lease.signal }).catch(() => undefined)
  }
}
