/**
 * No child outlives this process, even where this process is killed with SIGKILL and even where the child is stopped.
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
 * Guards `child`, and whatever it starts, until it exits. It must be spawned with `detached: true`: then it leads a
 * process group of its own, which can be killed as one, and which a Ctrl-C in the terminal does not reach: it is for us
 * to decide what ends, and in which order.
 */
export function guard(child: ChildProcess): void {
  const pid = child.pid
  if (pid === undefined) return // it could not be spawned; its 'error' event says why
  pipe ??= startWatchdog()
  pipe.write(`+${pid}\n`)
  child.once('exit', () => pipe?.write(`-${pid}\n`))
}

function startWatchdog(): NodeJS.WritableStream {
  const watchdog = spawn(process.execPath, [program], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  watchdog.on('error', () => {}) // without a watchdog only the protection against our own SIGKILL is lost
  watchdog.stdin.on('error', () => {})
  watchdog.unref()
  if (watchdog.stdin instanceof Socket) watchdog.stdin.unref() // neither it nor its pipe keeps us alive
  return watchdog.stdin
}
