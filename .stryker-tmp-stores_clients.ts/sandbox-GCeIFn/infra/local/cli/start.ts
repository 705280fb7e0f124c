/** `npm start`: the billing stack and its customers. */
// @ts-nocheck

import { join, resolve } from 'node:path'
import type { Subscription } from '../../../functions/billing/subscription.ts'
import { billing } from '../billing/billing-task.ts'
import { readCustomers } from '../billing/csv.ts'
import { generateCustomers, generateWeeklyCustomers } from '../billing/generate.ts'
import { appCommand } from '../stack/synthesize.ts'
import { runStanding } from '../standing/standing-run.ts'
import type { Command } from './command.ts'
import { parseOptions, type StartOptions } from './options.ts'

const ROOT = join(import.meta.dirname, '../../..')
const SEED = 1
/** npm runs its scripts in the root of the project, wherever the user called it. */
const DIRECTORY = process.env['INIT_CWD'] ?? '.'

/** @param app the command that synthesizes the stacks. @default that of `cdk.json` */
export const start = (app?: string): Command<StartOptions> => ({
  name: 'npm start --',
  directory: DIRECTORY,
  parse: parseOptions,
  jobOf: async (options) => {
    const { standing } = options
    const job = { options, task: billing(await customersOf(options)), root: ROOT, app: app ?? (await appCommand(ROOT)) }
    if (standing === undefined) return job
    return { ...job, forMs: standing.forMs, conduct: (run) => runStanding(run, standing) }
  },
})

async function customersOf({ customers, ticks }: StartOptions): Promise<readonly Subscription[]> {
  if (customers === undefined) {
    const monthly = generateCustomers(SEED)
    // An endless run needs more work.
    return ticks === undefined ? [...monthly, ...generateWeeklyCustomers(SEED)] : monthly
  }
  if (typeof customers === 'number') return generateCustomers(SEED, customers, { dueTogether: true })
  return readCustomers(resolve(DIRECTORY, customers))
}
