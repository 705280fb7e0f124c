/**
 * The process behind `watchdog.ts`. Its standard input is a pipe that only the guarded parent holds, so end of input
 * means that the parent is gone, however it went. Lines are `+PID` (guard the group) and `-PID` (no longer).
 */
import { createInterface } from 'node:readline'

const guarded = new Set<number>()

for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1))
  if (!Number.isSafeInteger(pid) || pid <= 1) continue
  if (line.startsWith('+')) guarded.add(pid)
  else guarded.delete(pid)
}

for (const pid of guarded) {
  try {
    process.kill(-pid, 'SIGKILL') // the group that it leads
  } catch {
    // It ended between the parent's end and ours.
  }
}
