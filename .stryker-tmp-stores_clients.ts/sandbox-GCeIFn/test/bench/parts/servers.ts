// @ts-nocheck
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBLeaseStore, Election } from '../../../functions/election/index.ts'
import { createLeaseTable, localClient } from '../../support/tables.ts'
import type { Bench } from '../bench.ts'
import { inTurns, ratioOf, show, spreadOf } from '../measure.ts'
import type { Result } from '../report.ts'

const POLL_MS = 500
const STANDBYS = [0, 100] as const
/** Until all standbys have written their rows. */
const WARM_UP_MS = 5_000

/** How soon a successor leads after `resign({ to })`, and whether standbys slow down the renewals of their leader. */
export async function servers(bench: Bench): Promise<Result> {
  const endpoint = await bench.dynamodbLocal()
  const [times, rounds] = bench.isQuick ? [4, 1] : [20, 3]
  const polls = async (drainMs: number) => (await handOvers(endpoint, drainMs, times)).map((ms) => ms / POLL_MS)
  const [slow, atOnce] = [await polls(POLL_MS * 1.6), await polls(0)]
  const measure = (standbys: number) => async () => {
    return spreadOf(await renewals(endpoint, standbys, bench.isQuick ? 3_000 : 20_000)).median
  }
  const samples = await inTurns(
    rounds,
    STANDBYS.map((standbys) => [standbys, measure(standbys)] as const),
  )
  return {
    title: 'Servers that stay',
    tables: [
      {
        about:
          'From the release after `resign({ to })` until the successor leads, as a share of `pollMs`; ' +
          `in one process on DynamoDB Local, ${times} hand-overs.`,
        columns: ['the work stops', 'time'],
        rows: [
          ['slowly: the successor has seen that it is named', show(spreadOf(slow))],
          ['at once', show(spreadOf(atOnce))],
        ],
      },
      {
        about: `The median time of a renewal, as a ratio to that of a leader alone; ${rounds} rounds.`,
        columns: ['standbys', 'time'],
        rows: STANDBYS.map((standbys) => [String(standbys), show(ratioOf(samples(standbys), samples(0)))]),
      },
    ],
  }
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
async function handOvers(endpoint: string, drainMs: number, times: number): Promise<readonly number[]> {
  const client = localClient(endpoint)
  const store = new TimedStore({ tableName: await createLeaseTable(client), client })
  const leave = new AbortController()
  const tookMs: number[] = []
  const names = ['ann', 'bob'] as const
  const done = names.map(async (candidate, nth) => {
    const election = new Election({ store, lease: 'jobs', candidate, pollMs: POLL_MS })
    for await (const { signal } of election.campaign({ signal: leave.signal })) {
      if (store.releasedAtMs > 0) tookMs.push(performance.now() - store.releasedAtMs)
      if (tookMs.length === times) return leave.abort()
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

async function renewals(endpoint: string, standbys: number, forMs: number): Promise<readonly number[]> {
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
  await sleep(forMs)
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
