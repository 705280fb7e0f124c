/**
 * Starts the emulator once for all test files, which get it by `inject('emulator')`. If it cannot be installed, the
 * tests are skipped with a warning; with TENURE_DEPLOY_REQUIRED=1, as in CI, the run fails instead.
 *
 * TENURE_MINISTACK_VENV names a virtual environment to keep, which makes repeated runs faster, and TENURE_MINISTACK_LOG
 * a file for MiniStack's log.
 */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { installPythonTools, startMiniStack, UnavailableError } from './ministack.ts'
import { timed } from './program.ts'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const run = await makeRunDirectory()
  try {
    const venv = process.env['TENURE_MINISTACK_VENV'] || join(run.path, 'venv')
    const bin = await timed('installing MiniStack and cfn-lint', () => installPythonTools(venv, run.path))
    const directory = join(run.path, 'files')
    await mkdir(directory)
    const ministack = await timed('starting MiniStack', () => startMiniStack(bin, directory))
    project.provide('emulator', { url: ministack.url, directory, bin })
    return async () => {
      await ministack.stop()
      await run.remove()
    }
  } catch (error) {
    await run.remove()
    if (!(error instanceof UnavailableError) || process.env['TENURE_DEPLOY_REQUIRED'] === '1') throw error
    console.warn(`Deployment tests are skipped: ${error.message}`)
    project.provide('emulator', undefined)
    return async () => {}
  }
}

/** A temporary directory that is removed even if the run is killed. */
async function makeRunDirectory() {
  const path = await mkdtemp(join(tmpdir(), 'tenure-deploy-'))
  // The shell reads from a pipe until this process ends. It then waits, because processes that are killed at the same
  // time may still write files.
  const janitor = spawn('sh', ['-c', 'cat > /dev/null; sleep 1; rm -rf -- "$0"; sleep 2; rm -rf -- "$0"', path], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  janitor.on('error', () => {}) // without the shell, only SIGKILL leaves the directory behind
  janitor.stdin.on('error', () => {})
  janitor.unref()
  const remove = async () => {
    await rm(path, { recursive: true, force: true, maxRetries: 5 })
    janitor.kill()
  }
  return { path, remove }
}
