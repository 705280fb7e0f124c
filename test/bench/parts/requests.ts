import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { PEERS, type Subject, TENURE } from '../bundles.ts'
import { Runner, Server, startOnce, variablesFor } from '../processes.ts'
import type { Result } from '../report.ts'
import type { Traffic } from '../server.ts'

const STEPS = ['win', 'lose', 'renew', 'complete'] as const
export type Requests = Readonly<Record<(typeof STEPS)[number], Traffic>>

const COUNTED: readonly Subject[] = ['bare SDK', ...TENURE, ...PEERS]
const NEVER_RENEWS: readonly Subject[] = ['bare SDK', 'Powertools idempotency']
const LEASE_MS = 3_000
/** After this part of the lease all renew; by the other, all requests of the renewal have been sent. */
const RENEWED_MS = LEASE_MS / 3 + 500

const counted = new WeakMap<Bench, Promise<ReadonlyMap<Subject, Requests>>>()

/** What each step of one tick puts on the wire, counted between the handler and DynamoDB Local. */
export function requestsOf(bench: Bench): Promise<ReadonlyMap<Subject, Requests>> {
  const known = counted.get(bench) ?? count(bench)
  counted.set(bench, known)
  return known
}

async function count(bench: Bench): Promise<ReadonlyMap<Subject, Requests>> {
  const requests = new Map<Subject, Requests>()
  const database = await bench.dynamodbLocal()
  using server = await Server.start('proxy', database)
  for (const subject of COUNTED) {
    const { file } = bench.bundle(subject)
    const [lease, lost] = [randomUUID(), randomUUID()]
    using leader = Runner.of(file, { ...(await server.variables(lease)), LEASE_MS: String(LEASE_MS) })
    await leader.hold([lease])
    const win = await server.traffic()
    if (!NEVER_RENEWS.includes(subject)) await sleep(RENEWED_MS)
    const renew = await server.traffic()
    await leader.finish()
    const complete = await server.traffic()
    // The leader is not counted. A loser of dynamodb-lock-client waits until the lease is over.
    using another = Runner.of(file, { ...variablesFor(database, lost), LEASE_MS: String(LEASE_MS) })
    await another.hold([lost])
    const { status } = await startOnce(file, { ...(await server.variables(lost)), LEASE_MS: String(LEASE_MS) })
    if (status !== 'standby') throw new Error(`The second candidate of ${subject} is ${status}`)
    requests.set(subject, { win, lose: await server.traffic(), renew, complete })
  }
  return requests
}

export async function requests(bench: Bench): Promise<Result> {
  const all = await requestsOf(bench)
  return {
    title: 'Requests',
    tables: [
      {
        about:
          'Requests of each step of a tick and the capacity that they consume, in read and write units, ' +
          'counted between ' +
          'the handler and DynamoDB Local. A refused write costs a unit.',
        columns: ['handler', ...STEPS],
        rows: [...all].map(([subject, steps]) => [subject, ...STEPS.map((step) => cell(steps[step]))]),
      },
    ],
    json: Object.fromEntries(STEPS.map((step) => [step, all.get('withLease')?.[step].operations.length])),
  }
}

function cell({ operations, readUnits, writeUnits, bytes }: Traffic): string {
  if (operations.length === 0) return 'none'
  const units = [...(readUnits > 0 ? [`${readUnits} read`] : []), ...(writeUnits > 0 ? [`${writeUnits} write`] : [])]
  return `${operations.length}: ${operations.join(', ')} (${units.join(', ')}; ${(bytes / 1_024).toFixed(1)} KB)`
}
