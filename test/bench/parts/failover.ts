import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../../infra/programs/dynamodb-local.ts'
import { guard } from '../../../infra/programs/watchdog.ts'
import type { Bench } from '../bench.ts'
import { rounded, show, spreadOf } from '../measure.ts'
import { Child, type Variables, variablesFor } from '../processes.ts'
import type { Result } from '../report.ts'

const LEASE_MS = 3_000
/** By then the other candidate waits; the leader is hit at any time between two renewals. */
const LEADS_MS = 2_500
const FAULTS = ['SIGKILL', 'SIGSTOP', 'resign', 'transfer'] as const
type Fault = (typeof FAULTS)[number]
const OWN = 'Election'
const SYSTEMS = [OWN, 'dynamodb-lock-client', '@deliveryhero/dynamodb-lock', 'etcd', 'zookeeper'] as const

/** How long no candidate leads, after the leader of two is gone. */
export async function failover(bench: Bench): Promise<Result> {
  const faults = bench.isQuick ? (['SIGKILL', 'resign'] as const) : FAULTS
  const rounds = bench.isQuick ? 1 : 5
  using services = new DisposableStack()
  const [etcd, zookeeper] = [await startService('etcd', services), await startService('zookeeper', services)]
  const endpoint = await bench.dynamodbLocal()
  const places = new Map(SYSTEMS.map((name) => [name, name === 'etcd' ? etcd : name === 'zookeeper' ? zookeeper : '']))
  const systems = SYSTEMS.filter((name) => places.get(name) !== undefined)
  const ratios = new Map<string, number[]>()
  for (let round = 0; round < rounds; round++) {
    for (const fault of faults) {
      // Candidates wait, so that those of all systems can run at once.
      const measured = systems.map(async (name) => {
        if (fault === 'transfer' && name !== OWN) return
        const variables = { SYSTEM: name, ENDPOINT: places.get(name) ?? '', LEASE_MS: String(LEASE_MS) }
        const lease = `failover/${name.replaceAll(/\W/g, '')}/${fault}/${round}`
        const ms = await gapAfter(fault, name, { ...variablesFor(endpoint, lease), ...variables })
        ratios.set(`${name} ${fault}`, [...(ratios.get(`${name} ${fault}`) ?? []), ms / LEASE_MS])
      })
      await Promise.all(measured)
    }
  }
  const spread = (name: string, fault: Fault) => spreadOf(ratios.get(`${name} ${fault}`) ?? [])
  const absent = SYSTEMS.filter((name) => !systems.includes(name)).map((name) => ` ${name} is not installed.`)
  return {
    title: 'Failover',
    tables: [
      {
        about:
          `From the fault until the other candidate leads, ` +
          `as a ratio to the lease (or session) of ${LEASE_MS / 1_000} s; ` +
          `${rounds} rounds. Election has a clock budget of 1 s, which no other has.${absent.join('')}`,
        columns: ['', ...faults],
        rows: systems.map((name) => [
          name,
          ...faults.map((fault) => (ratios.has(`${name} ${fault}`) ? show(spread(name, fault)) : 'has none')),
        ]),
      },
    ],
    plots: [
      {
        file: 'failover.svg',
        title: 'Time without a leader after SIGKILL, ratio to the lease',
        bars: systems.map((name) => ({ label: name, value: spread(name, 'SIGKILL') })),
      },
    ],
    json: { ratio: rounded(spread(OWN, 'SIGKILL')), resign: rounded(spread(OWN, 'resign')) },
  }
}

async function gapAfter(fault: Fault, system: string, variables: Variables): Promise<number> {
  using candidates = new DisposableStack()
  const program = join(import.meta.dirname, system === OWN ? '../failover-server.ts' : '../peers/failover-server.mjs')
  const start = (NAME: string) => candidates.use(new Child(program, [], { ...variables, NAME }))
  const [ann, bob] = [start('ann'), start('bob')]
  const isAnn = await Promise.race([ann.ready.then(() => true), bob.ready.then(() => false)])
  const [leader, other] = isAnn ? [ann, bob] : [bob, ann]
  await sleep(LEADS_MS + (Math.random() * LEASE_MS) / 3)
  const atMs = Date.now()
  if (fault === 'SIGKILL' || fault === 'SIGSTOP') leader.process.kill(fault)
  else leader.process.send(fault === 'transfer' ? { to: isAnn ? 'bob' : 'ann' } : {})
  const { leadsAtMs }: { readonly leadsAtMs?: number } = Object(await other.ready)
  return (leadsAtMs ?? Number.NaN) - atMs
}

const JARS = '/usr/share/java'

/** As Debian packages it (etcd-server, zookeeper). @returns its address; undefined if it is not installed */
async function startService(name: 'etcd' | 'zookeeper', stack: DisposableStack): Promise<string | undefined> {
  if (!existsSync(name === 'etcd' ? '/usr/bin/etcd' : join(JARS, 'zookeeper.jar'))) return undefined
  const directory = mkdtempSync(join(tmpdir(), 'tenure-bench-'))
  stack.defer(() => rmSync(directory, { recursive: true, force: true }))
  const [port, peerPort] = [await freePort(), await freePort()]
  const [own, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`]
  const urls = ['--listen-client-urls', own, '--advertise-client-urls', own, '--listen-peer-urls', peer]
  const cluster = ['--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`]
  const config = join(directory, 'zoo.cfg')
  const settings = { dataDir: join(directory, 'data'), clientPort: port, clientPortAddress: '127.0.0.1' }
  // A session lasts for 2 to 20 of its ticks.
  const all = { ...settings, tickTime: LEASE_MS / 6, 'admin.enableServer': false }
  writeFileSync(
    config,
    Object.entries(all)
      .map((setting) => `${setting.join('=')}\n`)
      .join(''),
  )
  const programs = {
    etcd: ['etcd', '--data-dir', directory, ...urls, ...cluster],
    zookeeper: ['java', '-cp', `${JARS}/*`, 'org.apache.zookeeper.server.ZooKeeperServerMain', config],
  }
  const [program = '', ...args] = programs[name]
  const child = spawn(program, args, { stdio: 'ignore', detached: true })
  guard(child)
  stack.defer(() => void child.kill('SIGKILL'))
  for (let isOpen = false; !isOpen && child.exitCode === null; await sleep(100)) {
    const socket = connect(port, '127.0.0.1')
    isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
  }
  return `127.0.0.1:${port}`
}
