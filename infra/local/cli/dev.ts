/** `tenure dev`: a function of the user's own. */
import { resolve } from 'node:path'
import { checkEntry, OWN_FUNCTION_APP } from '../own-function/entry.ts'
import { ownFunction } from '../own-function/own-function.ts'
import type { Command } from './command.ts'
import { type DevOptions, parseDevOptions } from './options.ts'

const DIRECTORY = process.cwd()

export const dev: Command<DevOptions> = {
  name: 'tenure dev',
  directory: DIRECTORY,
  parse: parseDevOptions,
  jobOf: async ({ own }) => {
    const { path, lease, environment, tables, timeoutMs } = own
    const entry = resolve(DIRECTORY, path)
    await checkEntry(entry, DIRECTORY)
    return {
      task: ownFunction({ path, directory: DIRECTORY }),
      root: DIRECTORY,
      app: OWN_FUNCTION_APP,
      context: { ownFunction: { entry, lease, environment, tables, timeoutMs } },
    }
  },
}
