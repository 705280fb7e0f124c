/** Asks the leader to hand over, as an operator does: rule T1 of functions/election/rules.ts. */
// @ts-nocheck

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBLeaseStore, Election } from '../../../functions/election/index.ts'
import { isLive } from '../../../functions/election/standing/decision.ts'
import { FaultError } from '../faults/fault.ts'
import { B_MS, LEASE, nameOf, REFRESH_MS } from './times.ts'

/** How long the request stands. */
const REQUESTED_MS = 10_000

/** @param wanted the best candidate that is ready, if it is undefined. @returns the name. @throws FaultError */
export async function requestHandOver(client: DynamoDBClient, tableName: string, wanted: number | undefined) {
  const store = new DynamoDBLeaseStore({ tableName, client })
  const election = new Election({ store, lease: LEASE })
  const leader = await election.leader({ consistent: true })
  if (leader === undefined) throw new FaultError('No candidate leads')
  const nowMs = Date.now()
  const view = { nowMs, refreshMs: REFRESH_MS, maxClockSkewMs: B_MS }
  const others = (await election.candidates()).filter(({ name }) => name !== leader.candidate)
  const ready = others.filter((row) => row.eligible && isLive(row, view))
  const best = ready.find(({ name }) => wanted === undefined || name === nameOf(wanted))
  if (best === undefined && wanted === undefined) throw new FaultError('No other candidate is ready')
  if (best === undefined) throw new FaultError(`Candidate ${wanted} leads already, or is not ready`)
  const request = { lease: LEASE, fencingToken: leader.fencingToken, to: best.name, nowMs }
  const { granted } = await store.standing.requestTransfer({ ...request, untilMs: nowMs + REQUESTED_MS })
  if (!granted) throw new FaultError('The leader has changed, or is asked to hand over to another candidate already')
  return best.name
}
