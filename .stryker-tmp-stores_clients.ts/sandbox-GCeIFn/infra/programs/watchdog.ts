/**
 * No child process outlives its parent: not if this process is killed with SIGKILL, and not if the child is stopped.
 * When a child ends, so does everything in its process group; only what left the group (`setsid`) stays.
 *
 * A stopped process cannot notice that its parent died, and Node cannot ask Linux for PR_SET_PDEATHSIG. So the watchdog
 * process reads a pipe whose other end only this process has. When this process ends, the kernel closes the pipe, and
 * the watchdog kills every process that is still listed (SIGKILL works on stopped ones).
 */
// @ts-nocheck

import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { extname, join } from 'node:path'

/** Compiled, both files end in `.js`. */
const program = join(import.meta.dirname, `watchdog-process${extname(import.meta.filename)}`)

let pipe: NodeJS.WritableStream | undefined

/** @param child spawned with `detached: true`: its own process group can be killed as one, and gets no Ctrl-C */
export function guard(child: ChildProcess): void {
  const { pid } = child
  if (pid === undefined) return // it could not be started; its 'error' event says why
  pipe ??= startWatchdog()
  pipe.write(`+${pid}\n`)
  child.once('exit', () => {
    signalProcesses(-pid, 'SIGKILL')
    pipe?.write(`-${pid}\n`) // only now: until here the watchdog would kill the group
  })
}

/** Signals a guarded child and its process group. False if the child has exited: its PID may be reused by now. */
export function signalGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): boolean {
  return pid !== undefined && exitCode === null && signalCode === null && signalProcesses(-pid, signal)
}

function signalProcesses(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false // the group is empty
  }
}

/** Long enough to read what is already in the pipes of a process that has ended. */
const DRAIN_MS = 200

/**
 * Settles when a guarded child has exited and its output is read. Pipes that a process outside of its group still
 * holds open are closed on this side; otherwise they would keep this process alive.
 *
 * @throws Error if the child could not be started
 */
export function exitOf(child: ChildProcess) {
  return new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      const timer = setTimeout(() => {
        for (const stream of child.stdio) stream?.destroy()
      }, DRAIN_MS)
      child.once('close', () => {
        clearTimeout(timer)
        resolve({ code, signal })
      })
    })
  })
}

function startWatchdog(): NodeJS.WritableStream {
  const watchdog = spawn(process.execPath, [program], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  watchdog.on('error', () => {}) // without it, only the protection against SIGKILL is lost
  watchdog.stdin.on('error', () => {})
  watchdog.unref()
  if (watchdog.stdin instanceof Socket) watchdog.stdin.unref() // neither it nor its pipe keeps this process alive
  return watchdog.stdin
}
