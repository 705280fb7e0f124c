/** Watches a tick that takes long. */

const FIRST_AFTER_S = 2

/** Calls `tell` once a second, from the second on. */
export function watchProgress(tell: () => void): Disposable {
  let seconds = 0
  const timer = setInterval(() => {
    seconds += 1
    if (seconds >= FIRST_AFTER_S) tell()
  }, 1_000)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
