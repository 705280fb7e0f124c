/** The processes of a standing run, one for each candidate that is present. One that ends is started again. */
// @ts-nocheck

import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LastLines } from '../../programs/text.ts'
import { exitOf, guard, signalGroup } from '../../programs/watchdog.ts'
import { senderOf } from '../lambda-host/credentials.ts'
import type { Processes } from '../lambda-host/lambda-host.ts'
import type { CandidateEntry } from '../observe/entries.ts'

export interface ServersOptions {
  /** The environment variables of the process with this serial. */
  readonly environmentOf: (serial: number, candidate: number) => Readonly<Record<string, string>>
  readonly onStart: (requestId: string, candidate: number, pid: number) => void
  /** @param how such as `signal SIGKILL` */
  readonly onEnd: (requestId: string, how: string, logs: readonly string[]) => void
}

interface Server {
  readonly candidate: number
  readonly child: ChildProcess
  /** Settles when the process has ended, and this was reported. */
  readonly ended: Promise<void>
}

const PROGRAM = join(import.meta.dirname, 'server.ts')
/** As a supervisor waits. */
const RESTART_AFTER_MS = 1_000
/** To hand over: longer than `drainMs` and the request after it. */
const MAX_FAREWELL_MS = 4_000
const KEPT_LINES = 20

export class Servers implements Processes {
  readonly #options: ServersOptions
  readonly #states = new Map<number, CandidateEntry>()
  /** By request id: all requests of a process have the same. */
  readonly #running = new Map<string, Server>()
  readonly #stopping = new AbortController()
  #isOpen = false
  #started = 0

  constructor(options: ServersOptions) {
    this.#options = options
  }

  readonly requestOf = (headers: Readonly<Record<string, string>>): string => requestIdOf(senderOf(headers) ?? 0)

  /** Starts the candidates that are present. */
  open(): void {
    this.#isOpen = true
    for (const candidate of this.#states.keys()) this.#start(candidate)
  }

  /** A candidate was added or removed, or its clock set. */
  changed(state: CandidateEntry): void {
    const { candidate, isPresent, skewMs } = state
    this.#states.set(candidate, state)
    const server = [...this.#running.values()].find((one) => one.candidate === candidate)
    if (server === undefined) this.#start(candidate)
    else if (!isPresent) void stop(server)
    else if (server.child.connected) server.child.send(skewMs)
  }

  #start(candidate: number): void {
    const { isPresent = false, skewMs = 0 } = this.#states.get(candidate) ?? {}
    const isRunning = [...this.#running.values()].some((one) => one.candidate === candidate)
    if (!this.#isOpen || !isPresent || isRunning || this.#stopping.signal.aborted) return
    this.#started += 1
    const requestId = requestIdOf(this.#started)
    const env = { ...this.#options.environmentOf(this.#started, candidate), CLOCK_SKEW_MS: String(skewMs) }
    // The host handles a Ctrl-C in the terminal.
    const child = spawn(process.execPath, [PROGRAM], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true })
    guard(child)
    child.on('error', () => {}) // a message that it did not read; its exit is reported
    this.#options.onStart(requestId, candidate, child.pid ?? 0)
    this.#running.set(requestId, { candidate, child, ended: this.#end(requestId, candidate, child) })
  }

  async #end(requestId: string, candidate: number, child: ChildProcess): Promise<void> {
    const logs = new LastLines([child.stdout, child.stderr], KEPT_LINES)
    const how = await exitOf(child).then(
      ({ code, signal }) => (signal === null ? `status ${code}` : `signal ${signal}`),
      (error: Error) => error.message,
    )
    this.#running.delete(requestId)
    this.#options.onEnd(requestId, how, logs.read())
    void sleep(RESTART_AFTER_MS, undefined, { signal: this.#stopping.signal }).then(
      () => this.#start(candidate),
      () => {},
    )
  }

  async kill(requestId: string): Promise<boolean> {
    const server = this.#running.get(requestId)
    if (server === undefined || !signalGroup(server.child, 'SIGKILL')) return false
    await server.ended
    return true
  }

  readonly freeze = (requestId: string): boolean => this.#signal(requestId, 'SIGSTOP')
  readonly thaw = (requestId: string): boolean => this.#signal(requestId, 'SIGCONT')

  #signal(requestId: string, signal: NodeJS.Signals): boolean {
    const server = this.#running.get(requestId)
    return server !== undefined && signalGroup(server.child, signal)
  }

  /** All end in good order, this one last: it then has no other candidate to hand over to, and releases the lease. */
  async stop(leader: string | undefined): Promise<void> {
    this.#stopping.abort()
    const isLeader = ([requestId]: readonly [string, Server]) => requestId === leader
    const all = [...this.#running]
    await Promise.all(all.filter((one) => !isLeader(one)).map(([, server]) => stop(server)))
    await Promise.all(all.filter(isLeader).map(([, server]) => stop(server)))
  }
}

const requestIdOf = (serial: number) => `process ${serial}`

/** SIGTERM, also for a frozen process; SIGKILL if it does not end in time. */
async function stop({ child, ended }: Server): Promise<void> {
  signalGroup(child, 'SIGTERM')
  signalGroup(child, 'SIGCONT')
  const inTime = new AbortController()
  const late = sleep(MAX_FAREWELL_MS, undefined, inTime).then(() => signalGroup(child, 'SIGKILL'))
  late.catch(() => {}) // it ended in time
  await ended
  inTime.abort()
}
