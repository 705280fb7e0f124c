import type { History } from '../history.ts'

/** Shows an instant of the history in seconds since its first event. */
export function timesOf({ tries, reports }: History): (atMs: number) => string {
  const startMs = Math.min(
    ...tries.slice(0, 1).map(({ invokedAtMs }) => invokedAtMs),
    ...reports.slice(0, 1).map(({ atMs }) => atMs),
  )
  return (atMs) => `${((atMs - startMs) / 1_000).toFixed(3)} s`
}
