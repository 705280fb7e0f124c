/**
 * Ctrl-C. The first one, or a closed output, aborts `signal`, so that the program can end in good order. The second one
 * ends this process at once; the watchdog kills what it started.
 */
// @ts-nocheck


/** npm forwards the Ctrl-C that the terminal has already sent to this process; both come within milliseconds. */
const SAME_KEYPRESS_MS = 300
const CHECK_PARENT_EVERY_MS = 250
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export const INTERRUPTED_EXIT_CODE = 130

export function onInterrupt(env: NodeJS.ProcessEnv = process.env): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController()
  let firstAt: number | undefined
  const interrupt = () => {
    firstAt ??= performance.now()
    if (performance.now() - firstAt > SAME_KEYPRESS_MS) process.exit(INTERRUPTED_EXIT_CODE)
    controller.abort(new Error('The run was interrupted'))
  }
  for (const signal of SIGNALS) process.on(signal, interrupt)

  // The reader of our output is gone: `| head`, a closed terminal.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', (error) => controller.abort(error))

  // A signal to npm alone ends npm and its shell without a signal to us, but this process gets another parent.
  const parent = process.ppid
  const checkParent = () => {
    if (process.ppid !== parent) controller.abort(new Error('npm has ended'))
  }
  const timer =
    env['npm_lifecycle_event'] === undefined ? undefined : setInterval(checkParent, CHECK_PARENT_EVERY_MS).unref()

  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const signal of SIGNALS) process.off(signal, interrupt)
      clearInterval(timer)
    },
  }
}
