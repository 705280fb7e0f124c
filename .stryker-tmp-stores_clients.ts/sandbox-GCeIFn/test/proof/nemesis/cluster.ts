/** The worker processes of a run: started, frozen, killed and replaced. */
// @ts-nocheck

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { guard } from '../../../infra/programs/watchdog.ts'
import type { WorkerConfig } from './worker.ts'

const PROGRAM = join(import.meta.dirname, 'worker.ts')
const END_WITHIN_MS = 5_000

export class Cluster {
  /** Workers that ended on their own, and what they wrote last. */
  readonly crashes: string[] = []
  readonly #config: (number: number) => Omit<WorkerConfig, 'who'>
  readonly #children = new Map<string, ChildProcess>()
  #started = 0
  #isReplacing = false
  #isEnding = false

  constructor(config: (number: number) => Omit<WorkerConfig, 'who'>) {
    this.#config = config
  }

  /** Resolves when all workers are ready. */
  async start(workers: number): Promise<void> {
    await Promise.all(Array.from({ length: workers }, () => this.#start()))
  }

  signal(who: string, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#children.get(who)?.kill(signal)
  }

  /** SIGKILL, and a new process in its place; does nothing while another one is replaced. */
  kill(who: string): void {
    const child = this.#children.get(who)
    if (child === undefined || this.#isReplacing || this.#isEnding) return
    this.#isReplacing = true
    this.#children.delete(who)
    child.kill('SIGKILL')
    void this.#start().finally(() => {
      this.#isReplacing = false
    })
  }

  /** Lets all workers finish what they are doing; kills those that do not. */
  async end(): Promise<void> {
    this.#isEnding = true
    while (this.#isReplacing) await sleep(50)
    const ended = [...this.#children.values()].map(async (child) => {
      child.kill('SIGCONT')
      child.send({ kind: 'end' }, () => {}) // it may have crashed
      await Promise.race([gone(child), sleep(END_WITHIN_MS, undefined, { ref: false })])
      child.kill('SIGKILL')
      await gone(child)
    })
    await Promise.all(ended)
  }

  async #start(): Promise<void> {
    const number = ++this.#started
    const who = `w${number}`
    const config: WorkerConfig = { who, ...this.#config(number) }
    const env = { ...process.env, NEMESIS_WORKER: JSON.stringify(config) }
    const child = fork(PROGRAM, { env, execArgv: [], detached: true, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    guard(child)
    this.#children.set(who, child)
    let stderr = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-2_000)
    })
    child.once('exit', (code, signal) => {
      const isExpected = this.#isEnding || !this.#children.has(who)
      if (!isExpected || (code ?? 0) !== 0) this.crashes.push(`${who} ended with ${signal ?? code}: ${stderr}`)
    })
    await Promise.race([once(child, 'message'), gone(child)])
  }
}

async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
