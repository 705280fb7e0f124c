/**
 * One execution environment: a child process that runs one invocation at a time. As in Lambda it is frozen (SIGSTOP)
 * between invocations, so that timers left behind do not fire.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
// @ts-nocheck

import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { extname, join } from 'node:path'
import { setTimeout as sleep, setImmediate as soon } from 'node:timers/promises'
import { property } from '../../../functions/election/json.ts'
import { LastLines } from '../../programs/text.ts'
import { exitOf, guard, signalGroup } from '../../programs/watchdog.ts'
import type { LambdaFunction } from './lambda-function.ts'
import { CHANNEL_FD, type ErrorReport, onLine, receivedReport, send } from './messages.ts'

type Success = { readonly ok: true; readonly value: unknown }
type Failure = { readonly ok: false; readonly error: ErrorReport }
type Answer = Success | Failure

/** How an invocation ended; with the last lines that it wrote. */
export type Ending =
  | (Success & { readonly logs?: readonly string[] })
  | (Failure & { readonly logs: readonly string[] })

/** Lambda allows 10 s, but does not run all environments on one machine. */
const INIT_TIMEOUT_MS = 30_000
const KEPT_LOG_LINES = 50
/** Long enough to read what a failed invocation has already written into its pipes. */
const DRAIN_MS = 10

/** Compiled, both files end in `.js`. */
const RUNTIME = join(import.meta.dirname, `runtime${extname(import.meta.filename)}`)

const EXITED = 'Runtime.ExitError'
const INVALID_MESSAGE =
  `The function wrote to file descriptor ${CHANNEL_FD}, which its runtime uses to talk to the host: ` +
  'let it write to files that it has opened itself'

export class Environment {
  readonly serial: number
  /** Settles when the bundle is loaded, or failed to load; the invocations then fail with the reason. */
  readonly initialized: Promise<Answer>
  readonly #lambda: LambdaFunction
  readonly #child: ChildProcess
  readonly #logs: LastLines
  /** Undefined if the process could not be started. */
  readonly #channel: Socket | undefined
  readonly #gone: Promise<void>
  /** Takes the answer of the runtime. The end of the process is an answer too. */
  #next: ((answer: Answer) => void) | undefined
  #end: ErrorReport | undefined
  #isFirst = true
  /** `idle`: stopped between two invocations. `frozen`: stopped in the middle of one. */
  #state: 'idle' | 'working' | 'frozen' = 'idle'

  constructor(lambda: LambdaFunction, env: NodeJS.ProcessEnv, serial: number) {
    this.serial = serial
    this.#lambda = lambda
    this.#child = spawn(process.execPath, [RUNTIME], {
      cwd: lambda.directory,
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'], // the last is CHANNEL_FD
      detached: true, // the host handles a Ctrl-C in the terminal
    })
    guard(this.#child)
    this.#logs = new LastLines([this.#child.stdout, this.#child.stderr], KEPT_LOG_LINES)
    this.#gone = exitOf(this.#child).then(
      ({ code, signal }) => this.#over(EXITED, `Runtime exited with ${signal ? `signal ${signal}` : `status ${code}`}`),
      (error: Error) => this.#over(EXITED, `The runtime could not be started: ${error.message}`),
    )
    const channel = this.#child.stdio[CHANNEL_FD]
    this.#channel = channel instanceof Socket ? channel : undefined
    this.#channel?.on('error', () => {}) // the process died before it read a message; `#gone` handles that
    onLine(this.#channel, (line) => {
      const answer = answerIn(line)
      if (answer === undefined) this.#over('Runtime.InvalidMessage', INVALID_MESSAGE)
      else this.#next?.(answer)
    })
    this.initialized = this.#initialize()
  }

  async #initialize(): Promise<Answer> {
    const answer = await this.#answer(INIT_TIMEOUT_MS)
    signalGroup(this.#child, 'SIGSTOP')
    return answer
  }

  isAlive(): boolean {
    return this.#end === undefined
  }

  /** One at a time. @param clockSkewMs how far its wall clock is ahead */
  async invoke(event: unknown, requestId: string, clockSkewMs = 0): Promise<Ending> {
    const init = await this.initialized
    const answer = init.ok ? await this.#ask(event, requestId, clockSkewMs) : init
    if (!init.ok) await this.kill()
    if (!this.isAlive()) await this.#gone
    await (answer.ok ? soon() : sleep(DRAIN_MS)) // no longer after a success: a gateway is invoked thousands of times
    return { ...answer, logs: this.#logs.read() }
  }

  async #ask(event: unknown, requestId: string, clockSkewMs: number): Promise<Answer> {
    const { arn: functionArn, timeoutMs } = this.#lambda
    if (!this.#isFirst) this.#logs.clear() // the first invocation keeps the logs of the initialization
    this.#isFirst = false
    this.#state = 'working'
    signalGroup(this.#child, 'SIGCONT')
    const answer = this.#answer(timeoutMs)
    send(this.#channel, { event, requestId, functionArn, deadlineMs: Date.now() + timeoutMs, clockSkewMs })
    await answer
    this.#state = 'idle'
    signalGroup(this.#child, 'SIGSTOP')
    return answer
  }

  /** SIGSTOP in the middle of an invocation, whose time-out keeps running. False if there is no invocation. */
  freeze(): boolean {
    if (this.#state === 'idle' || !this.isAlive()) return false
    this.#state = 'frozen'
    return signalGroup(this.#child, 'SIGSTOP')
  }

  thaw(): boolean {
    if (this.#state !== 'frozen' || !this.isAlive()) return false
    this.#state = 'working'
    return signalGroup(this.#child, 'SIGCONT')
  }

  /** SIGKILL, for its whole process group. Settles when it is gone. */
  async kill(): Promise<void> {
    this.#over(EXITED, 'Runtime exited with error: signal: killed')
    await this.#gone
  }

  /** The first reason counts. */
  #over(errorType: string, errorMessage: string): void {
    this.#end ??= { errorType, errorMessage }
    this.#next?.({ ok: false, error: this.#end })
    signalGroup(this.#child, 'SIGKILL')
  }

  async #answer(timeoutMs: number): Promise<Answer> {
    if (this.#end !== undefined) return { ok: false, error: this.#end }
    const { promise, resolve } = Promise.withResolvers<Answer>()
    this.#next = resolve
    const timer = setTimeout(() => {
      this.#over('Sandbox.Timedout', `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`)
    }, timeoutMs)
    const answer = await promise
    this.#next = undefined
    clearTimeout(timer)
    return answer
  }
}

/** Undefined if the line is not a `RuntimeMessage`, because the function can write to the channel too. */
function answerIn(line: string): Answer | undefined {
  try {
    const message: unknown = JSON.parse(line)
    const kind = property(message, 'kind')
    if (kind === 'result') return { ok: true, value: JSON.parse(String(property(message, 'json'))) }
    const error = kind === 'error' ? receivedReport(property(message, 'error')) : undefined
    return error && { ok: false, error }
  } catch {
    return undefined
  }
}
