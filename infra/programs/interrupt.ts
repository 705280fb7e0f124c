/**
 * Ctrl-C, or an output that nobody reads any more, once: `signal` aborts, and whoever runs comes to an orderly end. Twice: this process ends at once, and the
 * watchdog kills what it started.
 */

/** npm passes on the Ctrl-C that the terminal has already sent to us; both come within milliseconds. */
const SAME_KEYPRESS_MS = 300
const LOOK_FOR_NPM_EVERY_MS = 250

export const INTERRUPTED_EXIT_CODE = 130

export interface Interrupt extends Disposable {
  readonly signal: AbortSignal
}

export function onInterrupt(env: NodeJS.ProcessEnv = process.env): Interrupt {
  const controller = new AbortController()
  let firstAt: number | undefined
  const interrupt = () => {
    firstAt ??= performance.now()
    if (performance.now() - firstAt > SAME_KEYPRESS_MS) process.exit(INTERRUPTED_EXIT_CODE)
    controller.abort(new Error('The run was interrupted'))
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, interrupt)

  // Nobody reads what we print any more: `| head`, a closed terminal.
  const closed = (error: Error) => controller.abort(error)
  const streams = [process.stdout, process.stderr] as const
  for (const stream of streams) stream.on('error', closed)

  // A signal sent to npm alone ends npm and its shell, and nobody tells us; but we get another parent.
  const parent = process.ppid
  const watch = env['npm_lifecycle_event'] === undefined ? undefined : setInterval(orphaned, LOOK_FOR_NPM_EVERY_MS)
  watch?.unref()
  function orphaned() {
    if (process.ppid !== parent) controller.abort(new Error('npm has ended'))
  }

  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, interrupt)
      clearInterval(watch)
    },
  }
}
