/**
 * One execution environment: a child process that runs one invocation at a time, and is frozen (SIGSTOP) between
 * invocations, so that timers left behind do not fire, as in Lambda.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep, setImmediate as soon } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { LambdaFunction } from '../stack/template.ts'
import { guard } from '../watchdog.ts'
import { lastLines } from './last-lines.ts'
import type { ErrorReport } from './report.ts'
import type { InvokeMessage, RuntimeMessage } from './runtime.ts'

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
  /** SIGKILL, which works on frozen processes too. Settles when the process is gone. */
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
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true, // a Ctrl-C in the terminal is for the host to handle
  })
  guard(child)
  const logs = lastLines([child.stdout, child.stderr], KEPT_LOG_LINES)
  const { answer, gone, isOver, kill } = converse(child)
  const initialized = answer(INIT_TIMEOUT_MS).then((message) => {
    child.kill('SIGSTOP')
    return message
  })
  let served = false
  /** `paused`: frozen in the middle of an invocation, not as every environment is between two. */
  let state: 'frozen' | 'working' | 'paused' = 'frozen'

  const invoke = async (event: unknown, requestId: string, clockSkewMs = 0): Promise<Ending> => {
    const init = await initialized
    const ended = init.kind === 'error' ? init : await ask(event, requestId, clockSkewMs)
    if (init.kind === 'error') await kill()
    if (isOver()) await gone
    if (ended.kind !== 'error') {
      await soon() // no more than that: a gateway is invoked thousands of times
      return { ok: true, value: ended.kind === 'result' ? JSON.parse(ended.json) : null, logs: logs.read() }
    }
    await sleep(LAST_WORDS_MS)
    return { ok: false, error: ended.error, logs: logs.read() }
  }

  const ask = async (event: unknown, requestId: string, clockSkewMs: number): Promise<RuntimeMessage> => {
    if (served) logs.clear()
    served = true
    state = 'working'
    child.kill('SIGCONT')
    const message: InvokeMessage = {
      event,
      requestId,
      functionArn: lambda.arn,
      deadlineMs: Date.now() + lambda.timeoutMs,
      clockSkewMs,
    }
    const reply = answer(lambda.timeoutMs)
    child.send(message, () => {}) // a process that dies before it reads this is an ending like any other
    const ended = await reply
    state = 'frozen'
    child.kill('SIGSTOP')
    return ended
  }

  const freeze = () => {
    if (state === 'frozen' || isOver()) return false
    state = 'paused'
    return child.kill('SIGSTOP')
  }

  const thaw = () => {
    if (state !== 'paused' || isOver()) return false
    state = 'working'
    return child.kill('SIGCONT')
  }

  return { serial, initialized, isAlive: () => !isOver(), invoke, freeze, thaw, kill }
}

/** Messages from the process, its end as one of them, and a limit to how long each may take. */
function converse(child: ChildProcess) {
  let next: ((message: RuntimeMessage) => void) | undefined
  let end: ErrorReport | undefined

  const gone = new Promise<void>((resolve) => {
    const over = (errorMessage: string) => {
      end ??= { errorType: 'Runtime.ExitError', errorMessage }
      next?.({ kind: 'error', error: end })
      resolve()
    }
    child.once('error', (error) => over(`The runtime could not be started: ${error.message}`))
    child.once('close', (code, signal) => over(`Runtime exited with ${signal ? `signal ${signal}` : `status ${code}`}`))
  })
  child.on('message', (message: RuntimeMessage) => next?.(message))

  const kill = async () => {
    end ??= { errorType: 'Runtime.ExitError', errorMessage: 'Runtime exited with error: signal: killed' }
    child.kill('SIGKILL')
    await gone
  }

  const answer = async (timeoutMs: number): Promise<RuntimeMessage> => {
    if (end !== undefined) return { kind: 'error', error: end }
    const { promise, resolve } = Promise.withResolvers<RuntimeMessage>()
    next = resolve
    const timer = setTimeout(() => {
      const seconds = (timeoutMs / 1000).toFixed(2)
      end = { errorType: 'Sandbox.Timedout', errorMessage: `Task timed out after ${seconds} seconds` }
      resolve({ kind: 'error', error: end })
      child.kill('SIGKILL')
    }, timeoutMs)
    const message = await promise
    next = undefined
    clearTimeout(timer)
    return message
  }

  return { answer, gone, isOver: () => end !== undefined, kill }
}
