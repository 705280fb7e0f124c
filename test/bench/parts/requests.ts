import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import type { Subject } from '../bundles.ts'
import { Runner, Server, startOnce, type Variables, variablesFor } from '../processes.ts'
import type { Result } from '../report.ts'
import type { Traffic } from '../server.ts'

const STEPS = ['win', 'lose', 'renew', 'complete'] as const
type Step = (typeof STEPS)[number]
export type Requests = Readonly<Record<Step, Traffic>>

export const COUNTED: readonly Subject[] = [
  'bare SDK',
  'withLease',
  'leaderOnly',
  'Powertools idempotency',
  'dynamodb-lock-client',
  '@deliveryhero/dynamodb-lock',
]
const NEVER_RENEWS: readonly Subject[] = ['bare SDK', 'Powertools idempotency']
const LEASE_MS = 1_500
const POLL_MS = 20
/** By then all requests of a renewal have been sent. */
const SETTLED_MS = 150

/** What each step of one tick puts on the wire, counted between the SDK and DynamoDB Local. */
export async function requestsOf(bench: Bench, subject: Subject): Promise<Requests> {
  bench.checkInterrupt()
  using server = new Server('proxy', await bench.dynamodbLocal())
  const lease = `requests/${randomUUID()}`
  const variables = { ...(await server.variables(lease)), LEASE_MS: String(LEASE_MS) }
  const { file } = bench.bundle(subject)
  using leader = new Runner(file, variables)
  await leader.hold([lease])
  const win = await server.traffic()
  const renew = await server.traffic()
  while (renew.operations.length === 0 && !NEVER_RENEWS.includes(subject)) {
    await sleep(POLL_MS)
    add(renew, await server.traffic())
    if (renew.operations.length > 0) await sleep(SETTLED_MS)
    add(renew, await server.traffic())
  }
  // A leader without renewals in between, as the loser of some waits for longer than one.
  await leader.finish()
  const complete = await server.traffic()
  const lose = await lost(bench, file, variables, server)
  return { win, lose, renew, complete }
}

/** The leader is not counted, and its lease is long: a loser of dynamodb-lock-client waits for several of its renewals. */
async function lost(bench: Bench, file: string, counted: Variables, server: Server): Promise<Traffic> {
  const LEASE_NAME = `${counted['LEASE_NAME']}/lost`
  using leader = new Runner(file, variablesFor(await bench.dynamodbLocal(), LEASE_NAME))
  await leader.hold([LEASE_NAME])
  const { status } = await startOnce(file, { ...counted, LEASE_NAME, LEASE_MS: '15000' })
  if (status !== 'standby') throw new Error(`The second candidate is ${status}`)
  return await server.traffic()
}

function add(sum: Traffic, { operations, bytes, readUnits, writeUnits }: Traffic): void {
  sum.operations.push(...operations)
  sum.bytes += bytes
  sum.readUnits += readUnits
  sum.writeUnits += writeUnits
}

export async function requests(bench: Bench): Promise<Result> {
  const rows: string[][] = []
  const json: Record<string, number> = {}
  for (const subject of COUNTED) {
    const counted = await requestsOf(bench, subject)
    rows.push([subject, ...STEPS.map((step) => cell(counted[step]))])
    if (subject === 'withLease') for (const step of STEPS) json[step] = counted[step].operations.length
  }
  return {
    title: 'Requests',
    tables: [
      {
        about:
          'Requests of each step of a tick and the capacity that they consume, in read and write units, counted between ' +
          'the SDK and DynamoDB Local. A refused write costs a unit.',
        columns: ['handler', ...STEPS],
        rows,
      },
    ],
    json,
  }
}

function cell({ operations, readUnits, writeUnits, bytes }: Traffic): string {
  if (operations.length === 0) return 'none'
  const units = [...(readUnits > 0 ? [`${readUnits} read`] : []), ...(writeUnits > 0 ? [`${writeUnits} write`] : [])]
  return `${operations.length}: ${operations.join(', ')} (${units.join(', ')}; ${(bytes / 1_024).toFixed(1)} KB)`
}
