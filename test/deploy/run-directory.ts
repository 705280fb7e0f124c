/** A directory of the run's own, removed even where the run is killed before it could clean up. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface RunDirectory {
  readonly path: string
  remove(): Promise<void>
}

export async function makeRunDirectory(): Promise<RunDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'tenure-deploy-'))
  // Reads a pipe that only we hold, so it goes on when we are gone, however we went: a second later, because what is
  // killed at the same moment may still write.
  const janitor = spawn('sh', ['-c', 'cat > /dev/null; sleep 1; rm -rf -- "$0"; sleep 2; rm -rf -- "$0"', path], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  janitor.on('error', () => {}) // then only the protection against our own SIGKILL is lost
  janitor.stdin.on('error', () => {})
  janitor.unref()
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true, maxRetries: 5 })
      janitor.kill()
    },
  }
}
