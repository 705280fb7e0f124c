/**
 * `npm run bench`, or this file alone: how soon a successor leads after `resign({ to })`, and whether standbys slow down the
 * renewals of their leader, both in one process on DynamoDB Local.
 */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBLeaseStore, Election } from '../../functions/election/index.ts'
import { startDynamoDBLocal } from '../../infra/programs/dynamodb-local.ts'
import { INTERRUPTED_EXIT_CODE, onInterrupt } from '../../infra/programs/interrupt.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'

const POLL_MS = 500
const HAND_OVERS = 20
const ROUNDS = 3
const ROUND_MS = 20_000
/** Until all standbys have written their rows. */
const WARM_UP_MS = 5_000

async function measure(endpoint: string): Promise<void> {
  show('successor leads after the release, if the work stops slowly', await handOvers(endpoint, POLL_MS * 1.6))
  show(`successor leads after the release, if the work stops at once`, await handOvers(endpoint, 0))
  const latencies = new Map<number, number[]>([0, 100].map((standbys) => [standbys, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const [standbys, all] of latencies) all.push(...(await renewals(endpoint, standbys)))
  }
  for (const [standbys, all] of latencies) show(`renewals beside ${standbys} standbys`, all)
}

/** DynamoDB, and how long its requests took. */
class TimedStore extends DynamoDBLeaseStore {
  readonly renewalsMs: number[] = []
  releasedAtMs = 0

  override get standing() {
    const standing = super.standing
    const renew: typeof standing.renew = async (...args) => {
      const askedAtMs = performance.now()
      const reply = await standing.renew(...args)
      this.renewalsMs.push(performance.now() - askedAtMs)
      return reply
    }
    return { ...standing, renew }
  }

  override async write(...args: Parameters<DynamoDBLeaseStore['write']>) {
    const reply = await super.write(...args)
    if (args[0].kind === 'release') this.releasedAtMs = performance.now()
    return reply
  }
}

/** Two servers hand the lease to each other. @param drainMs how long their work takes to stop */
async function handOvers(endpoint: string, drainMs: number): Promise<readonly number[]> {
  const client = localClient(endpoint)
  const store = new TimedStore({ tableName: await createLeaseTable(client), client })
  const leave = new AbortController()
  const tookMs: number[] = []
  const names = ['ann', 'bob'] as const
  const done = names.map(async (candidate, nth) => {
    const election = new Election({ store, lease: 'jobs', candidate, pollMs: POLL_MS })
    for await (const { signal } of election.campaign({ signal: leave.signal })) {
      if (store.releasedAtMs > 0) tookMs.push(performance.now() - store.releasedAtMs)
      if (tookMs.length === HAND_OVERS) return leave.abort()
      await sleep(POLL_MS * 2) // the other has seen that it is led, and polls
      void election.resign({ to: names[1 - nth] ?? '' })
      if (!signal.aborted) await once(signal, 'abort')
      await sleep(drainMs)
    }
  })
  await Promise.all(done)
  client.destroy()
  return tookMs
}

async function renewals(endpoint: string, standbys: number): Promise<readonly number[]> {
  const [client, others] = [localClient(endpoint), localClient(endpoint)]
  const tableName = await createLeaseTable(client)
  const leading = new TimedStore({ tableName, client })
  const leave = new AbortController()
  const leader = campaign(leading, 'leader', leave.signal)
  await sleep(500)
  const store = new DynamoDBLeaseStore({ tableName, client: others })
  const names = Array.from({ length: standbys }, (_, nth) => `standby ${nth}`)
  const waiting = names.map((name) => campaign(store, name, leave.signal))
  await sleep(WARM_UP_MS)
  leading.renewalsMs.length = 0
  await sleep(ROUND_MS)
  const measured = [...leading.renewalsMs]
  leave.abort()
  await Promise.all([leader, ...waiting])
  client.destroy()
  others.destroy()
  return measured
}

async function campaign(store: DynamoDBLeaseStore, candidate: string, leaving: AbortSignal): Promise<void> {
  const election = new Election({ store, lease: 'jobs', candidate, leaseMs: 1_500 })
  for await (const { signal } of election.campaign({ signal: leaving })) {
    if (!signal.aborted) await once(signal, 'abort')
  }
}

function show(what: string, ms: readonly number[]): void {
  const sorted = ms.toSorted((a, b) => a - b)
  const at = (part: number) => (sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN).toFixed(1)
  console.log(`${what}: median ${at(0.5)} ms, 10th to 90th percentile ${at(0.1)} to ${at(0.9)} ms (${ms.length} times)`)
}

using interrupt = onInterrupt()
const { endpoint, stop } = await startDynamoDBLocal({ signal: interrupt.signal, sharedDb: true })
await Promise.race([measure(endpoint), once(interrupt.signal, 'abort')])
await stop()
process.exit(interrupt.signal.aborted ? INTERRUPTED_EXIT_CODE : 0)
