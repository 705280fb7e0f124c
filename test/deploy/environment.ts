/**
 * Starts the emulator once for the whole run; tests get its address by `inject('emulator')`. Where it cannot be installed
 * they are skipped, with one line that says why; with TENURE_DEPLOY_REQUIRED=1, as in CI, the run fails with that line.
 *
 * TENURE_MINISTACK_VENV names a virtual environment to install into and to keep, which makes repeated runs faster;
 * TENURE_MINISTACK_LOG a file for what MiniStack says.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startMiniStack } from './ministack.ts'
import { installPythonTools, UnavailableError } from './python-tools.ts'
import { makeRunDirectory } from './run-directory.ts'
import { timed } from './timed.ts'

/** What a test process needs in order to reach the emulator. */
export interface Emulator {
  readonly url: string
  /** For files of this run; removed with everything in it at the end. */
  readonly directory: string
  /** The virtual environment's programs. */
  readonly bin: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    emulator: Emulator | undefined
  }
}

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
