/** Says on standard error how long something took: the run's own account of where its minutes go. */
export async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedAtMs = performance.now()
  try {
    return await work()
  } finally {
    process.stderr.write(`  ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s  ${what}\n`)
  }
}
