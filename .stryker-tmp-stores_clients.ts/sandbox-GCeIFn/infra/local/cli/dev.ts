/** `tenure dev`: a function of the user's own. */
// @ts-nocheck

import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import type { Command } from './command.ts'
import { type DevOptions, parseDevOptions } from './options.ts'

const DIRECTORY = process.cwd()
/** Optional peer dependencies of the package. */
const NEEDED = ['aws-cdk-lib', 'constructs', 'esbuild']

export const dev: Command<DevOptions> = {
  name: 'tenure dev',
  directory: DIRECTORY,
  parse: parseDevOptions,
  jobOf: async (options) => {
    refuseUnlessPossible()
    const { path, ...own } = options.own
    // Only now: they import these packages.
    const { checkEntry, OWN_FUNCTION_APP } = await import('../own-function/entry.ts')
    const { ownFunction } = await import('../own-function/own-function.ts')
    const entry = resolve(DIRECTORY, path)
    await checkEntry(entry, DIRECTORY)
    return {
      options,
      task: ownFunction({ path, directory: DIRECTORY }),
      root: DIRECTORY,
      app: OWN_FUNCTION_APP,
      context: { ownFunction: { ...own, entry } },
    }
  },
}

function refuseUnlessPossible(): void {
  if (process.platform === 'win32') {
    throw new Error('tenure dev freezes processes with signals that Windows does not have. Run it in WSL.')
  }
  const installed = createRequire(import.meta.url)
  const missing = NEEDED.filter((name) => {
    try {
      return installed.resolve(name) === ''
    } catch {
      return true
    }
  })
  if (missing.length === 0) return
  const packages = missing.join(' ')
  throw new Error(`tenure dev needs packages that are not installed. Run:\n  npm install --save-dev ${packages}`)
}
