/** The worker processes of one run, each in its place: started, told, frozen, killed and replaced. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { guard } from '../../../../infra/programs/watchdog.ts'
import type { FakeClock } from './faketime.ts'
import { CONFIG_VARIABLE, type Order, type Said, type WorkerConfig } from './messages.ts'

const program = fileURLToPath(new URL('worker.ts', import.meta.url))
const END_WITHIN_MS = 6_000
/** A worker says that it stops, and then does. */
const UNTIL_IT_HAS_STOPPED_MS = 50

/** What all workers of a run have in common. */
export type Common = Omit<WorkerConfig, 'who' | 'seed' | 'clockOffsetMs' | 'firstTick' | 'waits'>

export interface CrewOptions {
  readonly common: Common
  readonly seed: number
  readonly places: number
  /** For the last place, where it is to be had. */
  readonly fakeClock: FakeClock | undefined
  readonly fakeOffsetMs: number
  /** The tick with which a fresh process begins. */
  readonly nextTick: () => number
}

export interface Stopping {
  readonly who: string
  /** That of the write in its hands. */
  readonly fencingToken: number
}

interface Member {
  readonly place: number
  readonly who: string
  readonly child: ChildProcess
}

/** A worker is called after its place, and after how many processes were started before it. */
export function placeOf(who: string): string {
  return who.replace(/\..*/, '')
}

export class Crew {
  /** Processes that ended without having been told to, or not as they should: what they said last. */
  readonly crashes: string[] = []
  readonly #options: CrewOptions
  readonly #members = new Map<number, Member>()
  /** Who waits for a worker to stop itself; each says whether it is the one. */
  readonly #waiting = new Set<(stopping: Stopping) => boolean>()
  #generations = 0
  #fakeOffsetMs: number
  #isEnding = false

  private constructor(options: CrewOptions) {
    this.#options = options
    this.#fakeOffsetMs = options.fakeOffsetMs
  }

  /** Resolves when all are ready to ask for the lease. */
  static async start(options: CrewOptions): Promise<Crew> {
    const crew = new Crew(options)
    await Promise.all(Array.from({ length: options.places }, (_, n) => crew.#start(n + 1)))
    return crew
  }

  /** Who is there now. */
  get present(): readonly string[] {
    return [...this.#members.values()].map(({ who }) => who)
  }

  /** Those whose clock can be set by an order. */
  get withOwnClock(): readonly string[] {
    const { places, fakeClock } = this.#options
    return [...this.#members.values()]
      .filter(({ place }) => fakeClock === undefined || place < places)
      .map(({ who }) => who)
  }

  tell(who: string, order: Order): void {
    this.#find(who)?.child.send(order, () => {}) // it may just have died
  }

  freeze(who: string): void {
    this.#find(who)?.child.kill('SIGSTOP')
  }

  thaw(who: string): void {
    this.#find(who)?.child.kill('SIGCONT')
  }

  /** SIGKILL, and a fresh process in its place. */
  async replace(who: string): Promise<void> {
    const member = this.#find(who)
    if (member === undefined) return
    this.#members.delete(member.place)
    await kill(member.child)
    if (!this.#isEnding) await this.#start(member.place)
  }

  /** The last place gets a process whose own clock is off by so much. */
  async replaceFakeClock(offsetMs: number): Promise<void> {
    this.#fakeOffsetMs = offsetMs
    const last = this.#members.get(this.#options.places)
    if (last !== undefined && this.#options.fakeClock !== undefined) await this.replace(last.who)
  }

  /** The next worker of `whom` that stops itself before a write; undefined where none did in time. */
  async stopping(whom: readonly string[], withinMs: number): Promise<Stopping | undefined> {
    const { promise, resolve } = Promise.withResolvers<Stopping | undefined>()
    const isAwaited = (stopping: Stopping) => {
      if (!whom.includes(stopping.who)) return false
      this.#waiting.delete(isAwaited)
      resolve(stopping)
      return true
    }
    this.#waiting.add(isAwaited)
    const timer = setTimeout(() => resolve(undefined), withinMs)
    for (const who of whom) this.tell(who, { kind: 'stopBeforeWrite' })
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(isAwaited)
      for (const who of whom) this.tell(who, { kind: 'doNotStop' })
    }
  }

  /** One that nobody waits for any more, the order to go on having come too late, must not sleep for ever. */
  #onStopping(stopping: Stopping): void {
    if ([...this.#waiting].some((isAwaited) => isAwaited(stopping))) return
    setTimeout(() => this.thaw(stopping.who), UNTIL_IT_HAS_STOPPED_MS)
  }

  /** Lets all finish what they are doing, unless `interrupted`, and kills whoever does not. */
  async end(interrupted: AbortSignal): Promise<void> {
    this.#isEnding = true
    await Promise.all(
      [...this.#members.values()].map(async ({ who, child }) => {
        this.thaw(who)
        this.tell(who, { kind: 'end' })
        await Promise.race([gone(child), sleep(END_WITHIN_MS, undefined, { ref: false, signal: interrupted })]).catch(
          () => {}, // interrupted
        )
        await kill(child)
      }),
    )
    this.#members.clear()
  }

  #find(who: string): Member | undefined {
    return [...this.#members.values()].find((member) => member.who === who)
  }

  async #start(place: number): Promise<void> {
    const { common, seed, places, fakeClock, nextTick } = this.#options
    const generation = ++this.#generations
    const who = `w${place}.${generation}`
    const isFaked = fakeClock !== undefined && place === places
    const config: WorkerConfig = {
      ...common,
      who,
      seed: seed + generation,
      clockOffsetMs: 0,
      firstTick: nextTick(),
      waits: place === 1,
    }
    const env = {
      ...process.env, // what its parent was given, a loader in NODE_OPTIONS say, is for it too
      ...(isFaked ? fakeClock(this.#fakeOffsetMs) : {}),
      [CONFIG_VARIABLE]: JSON.stringify(config),
    }
    const child = fork(program, { env, detached: true, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    guard(child)
    await this.#welcome({ place, who, child })
  }

  async #welcome(member: Member): Promise<void> {
    const { place, who, child } = member
    let lastWords = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-2_000)
    })
    child.once('exit', (code, signal) => {
      const wasToEnd = this.#isEnding || this.#members.get(place) !== member
      if (wasToEnd && (code ?? 0) === 0) return
      this.crashes.push(`${who} ended by itself with ${signal ?? `exit code ${code}`}. It said: ${lastWords.trim()}`)
    })
    child.on('message', (said: Said) => {
      if (said.kind === 'stopping') this.#onStopping({ who, fencingToken: said.fencingToken })
    })
    this.#members.set(place, member)
    await Promise.race([once(child, 'message'), gone(child)])
  }
}

async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL') // works on a frozen process too
  await gone(child)
}
