/**
 * One execution environment: a child process that runs one invocation at a time, and is frozen (SIGSTOP) between
 * invocations, so that timers left behind do not fire, as in Lambda.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { setTimeout as sleep, setImmediate as soon } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { LastLines } from '../../programs/text.ts'
import { exitOf, guard, signalGroup } from '../../programs/watchdog.ts'
import type { LambdaFunction } from '../stack/template.ts'
import { CHANNEL_FD, onLine, send } from './channel.ts'
import { type ErrorReport, receivedReport } from './report.ts'
import type { InvokeMessage } from './runtime.ts'

/** How an invocation ended. */
export type Ending =
  | { readonly ok: true; readonly value: unknown; readonly logs?: readonly string[] }
  | {
      readonly ok: false
      readonly error: ErrorReport /** The last lines it wrote. */
      readonly logs: readonly string[]
    }

export interface Environment {
  readonly serial: number
  /** Settles when the bundle is loaded, or cannot be: each invocation then fails with the reason. */
  readonly initialized: Promise<unknown>
  isAlive(): boolean
  /** One at a time. @param clockSkewMs how far its wall clock is ahead */
  invoke(event: unknown, requestId: string, clockSkewMs?: number): Promise<Ending>
  /** SIGSTOP in the middle of an invocation, whose deadline goes on. False where no invocation is in work. */
  freeze(): boolean
  /** SIGCONT. False where it was not frozen so, or is no longer. */
  thaw(): boolean
  /** SIGKILL, which works on frozen processes too, for it and what it started. Settles when it is gone. */
  kill(): Promise<void>
}

/** Lambda allows 10 s; here all environments share one machine's cores, and Lambda's own does not. */
const INIT_TIMEOUT_MS = 30_000
const KEPT_LOG_LINES = 50
/** What an invocation wrote is in the pipe already, and only has to be read. */
const LAST_WORDS_MS = 10

const runtime = fileURLToPath(new URL('runtime.ts', import.meta.url))

/** @param serial what tells it from other environments */
export function startEnvironment(lambda: LambdaFunction, env: NodeJS.ProcessEnv, serial: number): Environment {
  const child = spawn(process.execPath, [runtime], {
    cwd: lambda.directory,
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'], // the last is CHANNEL_FD
    detached: true, // a Ctrl-C in the terminal is for the host to handle
  })
  guard(child)
  const logs = new LastLines([child.stdout, child.stderr], KEPT_LOG_LINES)
  const { tell, answer, gone, isOver, kill } = converse(child)
  const initialized = answer(INIT_TIMEOUT_MS).then((message) => {
    signalGroup(child, 'SIGSTOP')
    return message
  })
  let served = false
  /** `paused`: frozen in the middle of an invocation, not as every environment is between two. */
  let state: 'frozen' | 'working' | 'paused' = 'frozen'

  const invoke = async (event: unknown, requestId: string, clockSkewMs = 0): Promise<Ending> => {
    const init = await initialized
    const answered = init.ok ? await ask(event, requestId, clockSkewMs) : init
    if (!init.ok) await kill()
    if (isOver()) await gone
    // No longer than that after a success: a gateway is invoked thousands of times.
    await (answered.ok ? soon() : sleep(LAST_WORDS_MS))
    return { ...answered, logs: logs.read() }
  }

  const ask = async (event: unknown, requestId: string, clockSkewMs: number): Promise<Answer> => {
    if (served) logs.clear()
    served = true
    state = 'working'
    signalGroup(child, 'SIGCONT')
    const message: InvokeMessage = {
      event,
      requestId,
      functionArn: lambda.arn,
      deadlineMs: Date.now() + lambda.timeoutMs,
      clockSkewMs,
    }
    const reply = answer(lambda.timeoutMs)
    tell(message)
    const answered = await reply
    state = 'frozen'
    signalGroup(child, 'SIGSTOP')
    return answered
  }

  const freeze = () => {
    if (state === 'frozen' || isOver()) return false
    state = 'paused'
    return signalGroup(child, 'SIGSTOP')
  }

  const thaw = () => {
    if (state !== 'paused' || isOver()) return false
    state = 'working'
    return signalGroup(child, 'SIGCONT')
  }

  return { serial, initialized, isAlive: () => !isOver(), invoke, freeze, thaw, kill }
}

type Answer = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: ErrorReport }

/** Messages to and from the process, its end as one of them, and a limit to how long each may take. */
function converse(child: ChildProcess) {
  let next: ((answer: Answer) => void) | undefined
  let end: ErrorReport | undefined

  /** The first reason is the one that counts. */
  const over = (errorType: string, errorMessage: string) => {
    end ??= { errorType, errorMessage }
    next?.({ ok: false, error: end })
    signalGroup(child, 'SIGKILL')
  }
  const gone = exitOf(child).then(
    ({ code, signal }) => over(EXITED, `Runtime exited with ${signal ? `signal ${signal}` : `status ${code}`}`),
    (error: Error) => over(EXITED, `The runtime could not be started: ${error.message}`),
  )

  const channel = channelOf(child)
  channel?.on('error', () => {}) // a process that dies before it reads a message is an ending like any other
  onLine(channel, (line) => {
    const answered = answerIn(line)
    if (answered === undefined) over('Runtime.InvalidMessage', NOT_THE_RUNTIME)
    else next?.(answered)
  })

  const kill = async () => {
    over(EXITED, 'Runtime exited with error: signal: killed')
    await gone
  }

  const answer = async (timeoutMs: number): Promise<Answer> => {
    if (end !== undefined) return { ok: false, error: end }
    const { promise, resolve } = Promise.withResolvers<Answer>()
    next = resolve
    const timer = setTimeout(() => {
      over('Sandbox.Timedout', `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`)
    }, timeoutMs)
    const answered = await promise
    next = undefined
    clearTimeout(timer)
    return answered
  }

  const tell = (message: InvokeMessage) => send(channel, message)
  return { tell, answer, gone, isOver: () => end !== undefined, kill }
}

/** Undefined if the process could not be started, which its 'error' event says. */
function channelOf({ stdio }: Partial<ChildProcess>): Socket | undefined {
  const channel = stdio?.[CHANNEL_FD]
  return channel instanceof Socket ? channel : undefined
}

const EXITED = 'Runtime.ExitError'
const NOT_THE_RUNTIME =
  `The function wrote to file descriptor ${CHANNEL_FD}, by which its runtime talks to the host: ` +
  'let it write to files that it opened itself'

/** What a `RuntimeMessage` says; undefined if the line is none, since the function can write to the channel too. */
function answerIn(line: string): Answer | undefined {
  try {
    const message: { readonly [name in 'kind' | 'json' | 'error']?: unknown } = Object(JSON.parse(line))
    if (message.kind === 'result') return { ok: true, value: JSON.parse(String(message.json)) }
    const error = message.kind === 'error' ? receivedReport(message.error) : undefined
    return error && { ok: false, error }
  } catch {
    return undefined
  }
}
