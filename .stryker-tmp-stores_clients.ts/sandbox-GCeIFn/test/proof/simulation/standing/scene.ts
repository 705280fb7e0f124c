// @ts-nocheck
import type { StandingLease } from '../../../../functions/election/index.ts'
import type { Row } from '../../../../functions/election/testing/dynamodb/values.ts'
import type { Claim } from '../../claims.ts'
import type { Violation } from '../../result.ts'
import { type SimulatedProcess, Timeline } from '../process.ts'
import { Random } from '../random.ts'
import { textOf } from '../records.ts'
import { Network, TABLE } from './network.ts'
import { Onlooker } from './onlooker.ts'
import { Server } from './server.ts'
import { LEASE_KEY, RESERVED_MS, type Setting, START_MS, settingOf } from './setting.ts'

/** A request with its tries and pauses, in the quiet time. */
const SLACK_MS = 1_000
/** How long the campaigns may take to end. */
const END_MS = 60_000

const FAULTS = [
  ...(['dies', 'freezes', 'is cut off', 'resigns', 'is ill', 'changes', 'stops', 'row', 'all'] as const),
  'campaigns again',
] as const

/** One history: servers that stand for one lease, their faults, and what is promised of them. */
export class Scene {
  readonly setting: Setting
  readonly timeline = new Timeline(START_MS)
  readonly network: Network
  readonly lines: string[] = []
  violation: Omit<Violation, 'trace'> | undefined
  isQuiet = false
  tenures = 0
  campaigns = 0
  readonly #random: Random
  /** The latest of each name. */
  readonly #servers = new Map<string, Server>()
  readonly #all: Server[] = []
  readonly #tokensOf = new Map<number, Server>()
  readonly #onlooker: Onlooker
  #starts = 0
  #token = 0
  #row: Row = {}
  #isStopping = false
  #pausedUntilMs = START_MS
  #vacantSinceMs = START_MS
  #ledAtMs = START_MS
  #quietSinceMs = START_MS
  #isOver = false

  constructor(seed: number) {
    this.setting = settingOf(seed)
    this.#random = new Random(seed, 'faults')
    this.network = new Network(this.setting, this.timeline, (process) => this.#applied(process))
    this.#onlooker = new Onlooker(this)
    this.log(JSON.stringify(this.setting))
  }

  log(line: string): void {
    this.lines.push(`${((this.timeline.nowMs - START_MS) / 1000).toFixed(3).padStart(8)} s ${line}`)
  }

  broken(claim: Claim | undefined, what: string): void {
    this.violation ??= claim === undefined ? { what } : { claim, what }
    this.log(`BROKEN: ${what}`)
  }

  async run(): Promise<void> {
    const { names, faultyMs, quietMs } = this.setting
    const { timeline } = this
    for (const name of names) this.#start(name, this.setting.startsAtOnce ? 1 : this.#random.spread(1, 5_000))
    for (const name of names) this.#disturb(name)
    timeline.after(faultyMs, undefined, () => this.#calm())
    timeline.after(faultyMs + quietMs / 2, undefined, () => this.#leader()?.resign('a candidate that does not exist'))
    timeline.after(faultyMs + 2 * quietMs, undefined, () => this.#stopAll())
    timeline.after(faultyMs + 2 * quietMs + END_MS, undefined, () => this.#checkEnd())
    await timeline.run(() => {
      this.#check()
      return this.violation === undefined && !this.#isOver
    })
    for (const { campaigns } of this.#all) this.campaigns += campaigns
  }

  leads(server: Server, lease: StandingLease): void {
    const { name, bodies, process } = server
    this.tenures++
    this.log(`${name} leads with token ${lease.fencingToken}`)
    if (bodies > 1) this.broken('R3', `${name} runs ${bodies} turns at once`)
    if (lease.remainingMs() === 0) this.broken('S1', `${name} begins its turn after its deadline`)
    if (this.#tokensOf.has(lease.fencingToken)) this.broken('S2', `token ${lease.fencingToken} is given twice`)
    this.#tokensOf.set(lease.fencingToken, server)
    if (process.state !== 'running') this.broken(undefined, `${name} runs while it is ${process.state}`)
  }

  /** @param led whether it led until then */
  turnEnds({ name }: Server, { fencingToken }: StandingLease, led: boolean): void {
    this.log(`${name} ends its turn with token ${fencingToken}, ${led ? 'leading' : 'lost'}`)
    if (!led || !this.isQuiet) return
    this.timeline.after(SLACK_MS, undefined, () => {
      const isHeld = this.#token === fencingToken && this.#row['holder'] !== undefined
      if (isHeld) this.broken(undefined, `${name} has ended its turn, and keeps the lease`)
    })
  }

  #leader(): Server | undefined {
    return [...this.#servers.values()].find(({ believes }) => believes)
  }

  #start(name: string, afterMs: number): void {
    this.timeline.after(afterMs, undefined, () => {
      const server = new Server(this, name, ++this.#starts)
      this.#servers.set(name, server)
      this.#all.push(server)
      this.timeline.after(0, server.process, () => void server.run())
      this.log(`${name} starts`)
    })
  }

  /** One fault of this server after another, until the quiet time. */
  #disturb(name: string): void {
    const { faultEveryMs, longestFaultMs, leaseMs, names } = this.setting
    const random = this.#random
    this.timeline.after(random.between(1, faultEveryMs * 2), undefined, () => {
      if (this.isQuiet) return
      this.#disturb(name)
      const server = this.#servers.get(name)
      if (server === undefined || server.process.state !== 'running') return
      const forMs = random.spread(100, longestFaultMs)
      const fault = random.pick(...FAULTS)
      this.log(`${name} ${fault}, ${forMs} ms`)
      switch (fault) {
        case 'dies':
          server.process.die()
          return this.#start(name, forMs)
        case 'freezes':
          server.process.freeze()
          return void this.timeline.after(forMs, undefined, () => this.#thaw(server))
        case 'is cut off':
          return this.network.cutOff(name, forMs)
        case 'all':
          for (const each of names) this.network.cutOff(each, forMs)
          return
        case 'resigns':
          return void this.timeline.after(0, server.process, () => server.resign(random.pick(undefined, ...names)))
        case 'campaigns again':
          return void this.timeline.after(0, server.process, () => void server.campaignAgain())
        case 'is ill':
          server.isHealthy = false
          return void this.timeline.after(forMs, undefined, () => {
            server.isHealthy = true
          })
        case 'changes':
          server.merit = random.between(0, 9)
          server.isEligible = random.chance(800)
          return
        case 'stops':
          server.stop()
          return this.#start(name, forMs + leaseMs * 2)
        case 'row':
          return this.#editRow(random, forMs)
      }
    })
  }

  #thaw(server: Server): void {
    if (server.process.state !== 'frozen') return
    server.process.thaw({ monotonicStopped: this.#random.chance(500) })
    this.log(`${server.name} goes on`)
  }

  /** As an operator, or a candidate with a wrong clock, writes. */
  #editRow(random: Random, forMs: number): void {
    const { database } = this.network
    const { nowMs } = this.timeline
    const row = database.row(TABLE, LEASE_KEY)
    if (row === undefined) return
    const fencingToken = row['fencingToken'] ?? { N: '0' }
    const until = (ms: number) => ({ N: String(nowMs + ms) })
    const to = { S: random.pick('a stranger', ...this.setting.names) }
    const edit = random.pick<Row>(
      { pausedUntilMs: until(forMs) },
      { reservedFor: to, reservedUntilMs: until(1e9), reservedBy: fencingToken },
      { transferTo: to, transferUntilMs: until(60_000), transferBy: fencingToken },
    )
    if ('pausedUntilMs' in edit) this.#pausedUntilMs = nowMs + forMs
    this.log(`an operator writes ${JSON.stringify(edit)}`)
    database.put(TABLE, { ...row, ...edit })
  }

  #calm(): void {
    this.isQuiet = true
    this.network.isQuiet = true
    const { nowMs } = this.timeline
    this.#quietSinceMs = Math.max(nowMs, this.network.faultsUntilMs, this.#pausedUntilMs)
    for (const name of this.setting.names) {
      this.network.cutOff(name, 0)
      const server = this.#servers.get(name)
      if (server === undefined) continue
      this.#thaw(server)
      server.isHealthy = true
      server.isEligible = true
    }
    this.log('quiet')
  }

  #stopAll(): void {
    this.#isStopping = true
    this.log('all stop')
    for (const server of this.#all) this.timeline.after(0, server.process, () => server.stop())
    this.#onlooker.leave()
  }

  /** After each request that DynamoDB executed. */
  #applied(process: SimulatedProcess): void {
    const row = this.network.database.row(TABLE, LEASE_KEY) ?? {}
    const token = numberOf(row['fencingToken'])
    if (token < this.#token) this.broken('S2', `token ${token} after ${this.#token}`)
    if (token > this.#token) this.log(`${process.name} acquires token ${token}`)
    if (row['holder'] === undefined && this.#row['holder'] !== undefined) {
      this.log(`${process.name} vacates token ${token}, kept for ${textOf(row['reservedFor'])}`)
      this.#vacantSinceMs = this.timeline.nowMs
      const leader = this.#tokensOf.get(token)
      const works = leader !== undefined && leader.bodies > 0 && leader.lease?.fencingToken === token
      if (works && leader.process.state !== 'dead')
        this.broken(undefined, `${leader.name} releases while its turn runs`)
    }
    this.#token = token
    this.#row = row
  }

  /** After each event. */
  #check(): void {
    const { nowMs } = this.timeline
    const believers = this.#all.filter(({ believes }) => believes)
    if (believers.length > 1) this.broken('S1', `${believers.map(({ name }) => name).join(' and ')} both lead`)
    if (believers.length > 0) this.#ledAtMs = nowMs
    if (!this.isQuiet || this.#isStopping) return
    const { leaseMs, maxClockSkewMs, headStartMs, pollMs } = this.setting
    const decidedMs = 5 * headStartMs + 1.5 * pollMs + SLACK_MS
    const boundMs = leaseMs + 2 * maxClockSkewMs + decidedMs + RESERVED_MS
    if (nowMs > Math.max(this.#ledAtMs, this.#quietSinceMs) + boundMs) this.broken('R2', `not led for ${boundMs} ms`)
    const { holder, reservedBy, fencingToken } = this.#row
    const isKept = holder === undefined && numberOf(reservedBy) === numberOf(fencingToken)
    if (!isKept || this.#vacantSinceMs < this.#quietSinceMs) return
    const reservedUntilMs = numberOf(this.#row['reservedUntilMs'])
    if (nowMs > reservedUntilMs + 2 * maxClockSkewMs + decidedMs) this.broken('R1', 'kept for too long')
  }

  #checkEnd(): void {
    this.#isOver = true
    for (const { name, hasEnded, process, listeners } of this.#all) {
      if (process.state === 'dead') continue
      if (!hasEnded) this.broken(undefined, `the campaign of ${name} has not ended`)
      if (process.sleeping > 0) this.broken(undefined, `${name} left ${process.sleeping} timers`)
      if (listeners > 0) this.broken(undefined, `${name} left ${listeners} listeners`)
    }
    if (!this.#onlooker.hasEnded) this.broken(undefined, 'the onlooker has not ended')
    for (const row of this.network.database.rows(TABLE)) {
      const name = textOf(row['record'])?.replace('CANDIDATE#', '')
      const isDead = this.#all.some((server) => server.name === name && server.process.state === 'dead')
      const isEligible = JSON.stringify(row['eligible']) === JSON.stringify({ BOOL: true })
      if (isEligible && !isDead) this.broken(undefined, `the row of ${name} is left behind`)
    }
  }
}

function numberOf(attribute: unknown): number {
  return Number(textOf(attribute) ?? 0)
}
