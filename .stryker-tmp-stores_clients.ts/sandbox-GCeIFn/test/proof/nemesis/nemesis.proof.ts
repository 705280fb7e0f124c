/** Real processes, signals and sockets against DynamoDB Local: what a simulation of them cannot show. */
// @ts-nocheck

import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { expect, inject, it } from 'vitest'
import { mulberry32, pick, wholeNumber } from '../../../infra/programs/random.ts'
import { createLeaseTable, localClient } from '../../support/tables.ts'
import { check, lostUpdates } from './checks.ts'
import { Cluster } from './cluster.ts'
import { additionsIn, MAX_CLOCK_SKEW_MS, PROTECTED_KEY } from './history.ts'
import { NETWORK_FAULTS, Network } from './network.ts'

const isQuick = process.env['PROOF_QUICK'] === '1'
const seed = Number(process.env['PROOF_SEED'] ?? randomInt(2 ** 31))
const endpoint = inject('dynamodbEndpoint')
const WORKERS = 4
const LOOK_EVERY_MS = 100
const LONGEST_MS = isQuick ? 60_000 : 180_000
const VIOLATIONS_SHOWN = 3

/** What happens at least. A stale write is one by a leader that froze before it sent it and was replaced. */
interface Least {
  readonly additions: number
  readonly staleWrites: number
}
const FENCED: Least = isQuick ? { additions: 60, staleWrites: 2 } : { additions: 300, staleWrites: 8 }
const CONTROL: Least = isQuick ? { additions: 60, staleWrites: 3 } : { additions: 120, staleWrites: 3 }

it('lease and protected row are linearizable, tokens increase, and no update is lost', async ({ task, signal }) => {
  const { history, figures } = await run(true, FENCED, signal)
  expect(check(history).slice(0, VIOLATIONS_SHOWN)).toEqual([])
  task.meta.figures = { ...figures, seed: String(seed) }
})

it('updates are lost without a fence: the faults would show a missing one', async ({ task, signal }) => {
  const { history } = await run(false, CONTROL, signal)
  const lost = lostUpdates(history)
  expect(lost).not.toEqual([])
  expect(check(history).filter((violation) => violation.claim !== 'S3')).toEqual([])
  task.meta.figures = { 'updates lost by the control': lost.length }
  task.meta.seenToBreak = [{ claim: 'S3', how: `control without a fence: ${lost.length} updates lost` }]
})

/** Random faults until enough has happened. Fails if a process crashes, or too little happens in time. */
async function run(isFenced: boolean, least: Least, signal: AbortSignal) {
  const client = localClient(endpoint)
  const [leaseTable, protectedTable] = await Promise.all([createLeaseTable(client), createLeaseTable(client)])
  const random = mulberry32(seed)
  const network = await Network.start({
    ...{ endpoint, leaseTable, random },
    kill: (who) => cluster.kill(who),
    signal: (who, name) => cluster.signal(who, name),
  })
  const cluster = new Cluster((number) => ({
    ...{ isFenced, seed: seed + number, endpoint: network.endpoint, leaseTable, protectedTable },
    // Also beyond the budget: the claims about tokens and effects do not depend on clocks.
    clockOffsetMs: wholeNumber(random, -MAX_CLOCK_SKEW_MS, MAX_CLOCK_SKEW_MS) * pick(random, [0.4, 0.4, 1]),
  }))
  try {
    await cluster.start(WORKERS)
    const untilMs = performance.now() + LONGEST_MS
    const goesOn = () => cluster.crashes.length === 0 && network.problems.length === 0 && !signal.aborted
    while (missingIn(network, least).length > 0 && performance.now() < untilMs && goesOn()) await sleep(LOOK_EVERY_MS)
  } finally {
    await cluster.end()
    await network.stop()
  }
  const row = { TableName: protectedTable, Key: marshall(PROTECTED_KEY), ConsistentRead: true }
  const { Item } = await client.send(new GetItemCommand(row))
  client.destroy()
  expect.soft([...cluster.crashes, ...network.problems, ...missingIn(network, least)]).toEqual([])
  const { onLease, onRow, faults, staleWrites } = network
  const figures = {
    requests: onLease.length + onRow.length,
    tenures: onLease.filter(({ request, granted }) => request.kind === 'acquire' && granted).length,
    'faults, kills and freezes': [...faults.values()].reduce((sum, times) => sum + times, 0),
    'writes of a replaced leader': staleWrites,
  }
  return { history: { onLease, onRow, additions: additionsIn(Item) }, figures }
}

/** What has happened too rarely. */
function missingIn({ onRow, faults, staleWrites }: Network, least: Least): readonly string[] {
  const written = onRow.filter(({ request, granted }) => request.kind === 'write' && granted).length
  return [
    ...(written < least.additions ? ['additions'] : []),
    ...(staleWrites < least.staleWrites ? ['stale writes'] : []),
    ...NETWORK_FAULTS.filter((fault) => !faults.has(fault)),
  ]
}
