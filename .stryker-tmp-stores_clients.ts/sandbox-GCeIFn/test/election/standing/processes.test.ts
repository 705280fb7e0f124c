/** Four processes stand for one lease on DynamoDB Local: their leader is killed, frozen, and shut down. */
// @ts-nocheck

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { beforeAll, expect, inject, it } from 'vitest'
import { leaseRow } from '../../support/lease-row.ts'
import type { Report } from '../../support/standing-server.ts'
import { createLeaseTable, localClient } from '../../support/tables.ts'

const LEASE_MS = 1_500
const B = 200
const POLL_MS = 200
/** On a busy machine, whose processes wait for their turn. */
const BUSY_MS = 3_000
const NAMES = ['ann', 'ben', 'cyd', 'dan']

type Turn = Extract<Report, { kind: 'began' | 'ended' }>
interface Server {
  readonly child: ChildProcess
  readonly reports: Report[]
}

const client = localClient(inject('dynamodbEndpoint'))
let leases: string
let servers: Server[] = []

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tenure-standing-'))
  const outfile = join(directory, 'server.mjs')
  const entryPoints = [join(import.meta.dirname, '../../support/standing-server.ts')]
  const banner = { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" }
  await build({ entryPoints, outfile, bundle: true, format: 'esm', platform: 'node', banner })
  leases = await createLeaseTable(client)
  const effects = await createLeaseTable(client)
  const env = {
    ENDPOINT: inject('dynamodbEndpoint'),
    LEASE_TABLE: leases,
    EFFECTS_TABLE: effects,
    LEASE_MS: `${LEASE_MS}`,
  }
  servers = NAMES.map((NAME) => {
    const child = fork(outfile, { env: { ...env, NAME }, execArgv: [] })
    const reports: Report[] = []
    child.on('message', (report: Report) => reports.push(report))
    return { child, reports }
  })
  return async () => {
    for (const { child } of servers) child.kill('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  }
})

const turnsOf = ({ reports }: Server, kind: Turn['kind']) =>
  reports.flatMap((report) => (report.kind === kind && 'token' in report ? [report] : []))
const latest = () =>
  servers
    .flatMap((server) => turnsOf(server, 'began'))
    .toSorted((a, b) => a.token - b.token)
    .at(-1)

async function leaderAfter(token: number): Promise<{ server: Server; turn: Turn }> {
  await expect.poll(() => latest()?.token ?? 0, { interval: 5, timeout: 20_000 }).toBeGreaterThan(token)
  const turn = latest()
  const server = servers.find((each) => turnsOf(each, 'began').some((began) => began === turn))
  if (turn === undefined || server === undefined) throw new Error('There is no leader')
  return { server, turn }
}

it('one leads after another: after a kill when the lease is over, after a shutdown at once', async () => {
  const first = await leaderAfter(0)
  await expect.poll(() => servers.every(({ reports }) => reports.length > 0)).toBe(true)

  first.server.child.kill('SIGKILL')
  await once(first.server.child, 'exit')
  const { expiresAtMs = 0 } = (await leaseRow(client, leases, 'jobs')) ?? {}
  const second = await leaderAfter(first.turn.token)
  const afterKillMs = second.turn.atMs - (expiresAtMs + B)

  // Frozen for longer than its lease: it has lost when it goes on, and finds that out before it does anything else.
  second.server.child.kill('SIGSTOP')
  const third = await leaderAfter(second.turn.token)
  second.server.child.kill('SIGCONT')
  await expect.poll(() => turnsOf(second.server, 'ended')).toMatchObject([{ reason: 'LeaseLostError' }])

  await expect.poll(() => servers.filter(({ child }) => child.exitCode === null).length).toBeGreaterThan(1)
  const askedAtMs = Date.now()
  third.server.child.kill('SIGTERM')
  const fourth = await leaderAfter(third.turn.token)
  const afterTermMs = fourth.turn.atMs - askedAtMs
  await expect.poll(() => third.server.child.exitCode).toBe(0)
  expect(turnsOf(third.server, 'ended')).toMatchObject([{ reason: 'HandOverRequestedError' }])

  console.log({ afterKillMs, afterTermMs })
  expect(afterKillMs).toBeGreaterThan(-1)
  expect(afterKillMs).toBeLessThan(250 + BUSY_MS)
  expect(afterTermMs).toBeLessThan(POLL_MS * 1.5 + 250 + BUSY_MS)
}, 60_000)
