/**
 * Starts the emulator once for all test files, which get it by `inject('emulator')`. If it cannot be installed, the
 * tests are skipped with a warning; with TENURE_DEPLOY_REQUIRED=1, as in CI, the run fails instead.
 *
 * TENURE_MINISTACK_VENV names a virtual environment to keep, which makes repeated runs faster, and TENURE_MINISTACK_LOG
 * a file for MiniStack's log.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { installMiniStack, startMiniStack, UnavailableError } from './ministack.ts'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const temporary = await mkdtemp(join(tmpdir(), 'tenure-deploy-'))
  const remove = () => rm(temporary, { recursive: true, force: true, maxRetries: 5 })
  try {
    const bin = await installMiniStack(process.env['TENURE_MINISTACK_VENV'] || join(temporary, 'venv'), temporary)
    const directory = join(temporary, 'files')
    await mkdir(directory)
    const ministack = await startMiniStack(bin, directory)
    project.provide('emulator', { url: ministack.url, directory })
    return async () => {
      await ministack.stop()
      await remove()
    }
  } catch (error) {
    await remove()
    if (!(error instanceof UnavailableError) || process.env['TENURE_DEPLOY_REQUIRED'] === '1') throw error
    console.warn(`Deployment tests are skipped: ${error.message}`)
    project.provide('emulator', undefined)
    return async () => {}
  }
}
