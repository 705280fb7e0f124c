/**
 * A child takes all that it started along when it ends, unless that left its process group (`setsid`).
 *
 * And no child outlives this process, even where this process is killed with SIGKILL and even where the child is stopped.
 *
 * A stopped (SIGSTOP) process cannot notice that its parent died, and Node cannot ask Linux for PR_SET_PDEATHSIG, so a
 * second process holds the read end of a pipe whose write end only we have. When we end, for whatever reason, the
 * kernel closes the pipe, and the watchdog kills (SIGKILL works on stopped processes) every process still listed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('watchdog-process.ts', import.meta.url))

let pipe: NodeJS.WritableStream | undefined

/**
 * Guards `child`, and whatever it starts, and ends the latter when the child exits. It must be spawned with
 * `detached: true`: then it leads a process group of its own, which can be killed as one, and which a Ctrl-C in the
 * terminal does not reach: it is for us to decide what ends, and in which order.
 */
export function guard(child: ChildProcess): void {
  const { pid } = child
  if (pid === undefined) return // it could not be spawned; its 'error' event says why
  pipe ??= startWatchdog()
  pipe.write(`+${pid}\n`)
  child.once('exit', () => {
    signalProcesses(-pid, 'SIGKILL')
    pipe?.write(`-${pid}\n`) // only now: until then the watchdog would do it
  })
}

/** Signals a guarded child and its process group. False if the child has exited: its number may be another's by now. */
export function signalGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): boolean {
  return pid !== undefined && exitCode === null && signalCode === null && signalProcesses(-pid, signal)
}

function signalProcesses(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false // none is left
  }
}

/** What a process wrote before its end is in its pipes already, and only has to be read. */
const LAST_WORDS_MS = 200

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/**
 * Settles when a guarded child has exited and what it wrote is read. Pipes that a process outside of its group still
 * holds open are closed on our side: they would keep us alive for as long as that process lives.
 *
 * @throws Error if the child could not be started
 */
export function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      const timer = setTimeout(() => {
        for (const stream of child.stdio) stream?.destroy()
      }, LAST_WORDS_MS)
      child.once('close', () => {
        clearTimeout(timer)
        resolve({ code, signal })
      })
    })
  })
}

function startWatchdog(): NodeJS.WritableStream {
  const watchdog = spawn(process.execPath, [program], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  watchdog.on('error', () => {}) // without a watchdog only the protection against our own SIGKILL is lost
  watchdog.stdin.on('error', () => {})
  watchdog.unref()
  if (watchdog.stdin instanceof Socket) watchdog.stdin.unref() // neither it nor its pipe keeps us alive
  return watchdog.stdin
}
