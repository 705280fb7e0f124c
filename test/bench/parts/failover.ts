import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../../infra/programs/dynamodb-local.ts'
import { guard } from '../../../infra/programs/watchdog.ts'
import type { Bench } from '../bench.ts'
import { rounded, show, spreadOf } from '../measure.ts'
import { Child, variablesFor } from '../processes.ts'
import type { Result } from '../report.ts'

const LEASE_MS = 3_000
/** The leader is hit at any time between two renewals. */
const LEADS_MS = [1_200, 2_200] as const
const LONGEST_MS = 30_000
const FAULTS = ['SIGKILL', 'SIGSTOP', 'resign', 'transfer'] as const
type Fault = (typeof FAULTS)[number]

interface System {
  readonly name: string
  readonly program: string
  readonly variables: Readonly<Record<string, string>>
}

/** How long nobody leads, after the leader of two candidates is gone. */
export async function failover(bench: Bench): Promise<Result> {
  const faults = bench.isQuick ? (['SIGKILL', 'resign'] as const) : FAULTS
  const rounds = bench.isQuick ? 1 : 7
  const own = join(import.meta.dirname, '../standing.ts')
  const others = join(import.meta.dirname, '../peers/standing.ts')
  using services = new Services()
  const systems: System[] = [{ name: 'Election', program: own, variables: {} }]
  for (const name of ['dynamodb-lock-client', '@deliveryhero/dynamodb-lock']) {
    systems.push({ name, program: others, variables: {} })
  }
  const missing: string[] = []
  for (const name of ['etcd', 'zookeeper'] as const) {
    const endpoint = await services.start(name)
    if (endpoint === undefined) missing.push(name)
    else systems.push({ name, program: others, variables: { ENDPOINT: endpoint } })
  }
  const endpoint = await bench.dynamodbLocal()
  const ratios = new Map<string, number[]>()
  for (let round = 0; round < rounds; round++) {
    for (const fault of faults) {
      bench.checkInterrupt()
      // Candidates wait, so that those of all systems can run at once.
      const measured = systems.map(async ({ name, program, variables }) => {
        if (fault === 'transfer' && name !== 'Election') return
        const all = { ...variablesFor(endpoint, `failover/${fault}/${round}`), SYSTEM: name, ...variables }
        const ms = await gapAfter(fault, program, { ...all, LEASE_MS: String(LEASE_MS) })
        ratios.set(`${name} ${fault}`, [...(ratios.get(`${name} ${fault}`) ?? []), ms / LEASE_MS])
      })
      await Promise.all(measured)
    }
  }
  const spread = (name: string, fault: Fault) => spreadOf(ratios.get(`${name} ${fault}`) ?? [])
  const notMeasured = missing.map((name) => ` ${name} is not installed, and not measured.`).join('')
  return {
    title: 'Failover',
    tables: [
      {
        about:
          `From the fault until the other candidate leads, as a ratio to the lease (or session) of ${LEASE_MS / 1_000} s; ` +
          `${rounds} rounds; Election with a clock budget of 1 s, which no other has.${notMeasured}`,
        columns: ['', ...faults],
        rows: systems.map(({ name }) => [
          name,
          ...faults.map((fault) => (ratios.has(`${name} ${fault}`) ? show(spread(name, fault)) : 'has none')),
        ]),
      },
    ],
    plots: [
      {
        file: 'failover.svg',
        title: 'Time without a leader after SIGKILL, ratio to the lease',
        bars: systems.map(({ name }) => ({ label: name, value: spread(name, 'SIGKILL') })),
      },
    ],
    json: { ratio: rounded(spread('Election', 'SIGKILL')), resign: rounded(spread('Election', 'resign')) },
  }
}

async function gapAfter(fault: Fault, program: string, variables: Readonly<Record<string, string>>): Promise<number> {
  using candidates = new DisposableStack()
  const start = (NAME: string) => candidates.use(new Child(program, [], { ...variables, NAME }))
  const pair = [start('ann'), start('bob')] as const
  const leading = pair.map(
    (child) =>
      new Promise<number>((resolve) => {
        child.process.on('message', (message) => {
          const { leadsAtMs }: { readonly leadsAtMs?: number } = Object(message)
          if (leadsAtMs !== undefined) resolve(leadsAtMs)
        })
      }),
  )
  await Promise.all(pair.map(({ ready }) => ready))
  const first = await within(Promise.race(leading.map((led, place) => led.then(() => place))))
  const [leastMs, mostMs] = LEADS_MS
  await sleep(leastMs + Math.random() * (mostMs - leastMs))
  const leader = pair[first === 0 ? 0 : 1].process
  const atMs = Date.now()
  if (fault === 'SIGKILL' || fault === 'SIGSTOP') leader.kill(fault)
  else leader.send(fault === 'transfer' ? { to: first === 0 ? 'bob' : 'ann' } : {})
  return (await within(leading[first === 0 ? 1 : 0] ?? Promise.reject(new Error('there is no other')))) - atMs
}

async function within<T>(promise: Promise<T>): Promise<T> {
  const late = sleep(LONGEST_MS, undefined, { ref: false }).then(() => {
    throw new Error(`No candidate led within ${LONGEST_MS / 1_000} s`)
  })
  return await Promise.race([promise, late])
}

/** etcd and ZooKeeper as Debian packages them (etcd-server, zookeeper), if they are installed. */
class Services implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'tenure-bench-services-'))
  readonly #stack = new DisposableStack()

  async start(name: 'etcd' | 'zookeeper'): Promise<string | undefined> {
    const [port, peerPort] = [await freePort(), await freePort()]
    const data = join(this.#directory, name)
    mkdirSync(data)
    const jars = '/usr/share/java'
    if (name === 'etcd') {
      if (!isOnPath('etcd')) return undefined
      const [own, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`]
      const urls = ['--listen-client-urls', own, '--advertise-client-urls', own, '--listen-peer-urls', peer]
      this.#spawn('etcd', [
        '--data-dir',
        data,
        ...urls,
        '--initial-advertise-peer-urls',
        peer,
        '--initial-cluster',
        `default=${peer}`,
      ])
    } else {
      if (!existsSync(join(jars, 'zookeeper.jar'))) return undefined
      // Sessions last between 2 and 20 of its own ticks.
      const settings = { tickTime: 500, dataDir: data, clientPort: port, clientPortAddress: '127.0.0.1' }
      const more = { 'admin.enableServer': false, maxClientCnxns: 0 }
      const text = Object.entries({ ...settings, ...more }).map(([key, value]) => `${key}=${value}\n`)
      writeFileSync(join(data, 'zoo.cfg'), text.join(''))
      const main = 'org.apache.zookeeper.server.ZooKeeperServerMain'
      this.#spawn('java', ['-cp', `${jars}/*`, main, join(data, 'zoo.cfg')])
    }
    await untilItListens(port)
    return `127.0.0.1:${port}`
  }

  #spawn(program: string, args: readonly string[]): void {
    const child = spawn(program, args, { stdio: 'ignore', detached: true })
    guard(child)
    this.#stack.defer(() => void child.kill('SIGKILL'))
  }

  [Symbol.dispose](): void {
    this.#stack.dispose()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

function isOnPath(program: string): boolean {
  try {
    return execFileSync('which', [program], { stdio: ['ignore', 'pipe', 'ignore'] }).length > 0
  } catch {
    return false
  }
}

async function untilItListens(port: number): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await sleep(100)
  }
  throw new Error(`Nothing listens on port ${port}`)
}
