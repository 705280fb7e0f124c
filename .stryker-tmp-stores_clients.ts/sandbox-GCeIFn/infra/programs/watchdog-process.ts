/**
 * The process that `watchdog.ts` starts. Its input has lines `+PID` (guard this process group) and `-PID` (stop
 * guarding it), and ends when the parent has ended, in whatever way.
 */
// @ts-nocheck

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
    process.kill(-pid, 'SIGKILL') // its process group
  } catch {
    // It has ended already.
  }
}
