/** `npm start`: from the command line to the exit code. */
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Subscription } from '../../../functions/billing/subscription.ts'
import { OptionError } from '../../programs/flags.ts'
import { printable } from '../../programs/foreign-text.ts'
import { INTERRUPTED_EXIT_CODE, onInterrupt } from '../../programs/interrupt.ts'
import { billing } from '../billing/billing-task.ts'
import { generateCustomers, generateWeeklyCustomers, readCustomers } from '../billing/customers.ts'
import { readScenario, refuseUnknownCandidates, type ScheduledFault } from '../faults/fault.ts'
import { checkEntry } from '../own-function/own-entry.ts'
import { ownFunction } from '../own-function/own-function.ts'
import { type Run, simulate } from '../run/simulation.ts'
import { appCommand } from '../stack/synthesize.ts'
import { startDisplay } from './display.ts'
import { type Parsed, parseOptions, type StartOptions } from './options.ts'
import type { ElectionSummary } from './summary.ts'
import type { Verdict } from './verdict.ts'

const ROOT = join(import.meta.dirname, '../../..')
const OWN_FUNCTION_APP = 'node infra/local/own-function/own-function-app.ts'
const SEED = 1
const FAILED = 1
const WRONG_INPUT = 2
const INCONCLUSIVE = 3

/**
 * @param app the command that synthesizes the stacks; that of `cdk.json` where none is given
 * @returns the exit code; see the epilog in `start-flags.ts`
 */
export async function main(argv: readonly string[], app?: string): Promise<number> {
  let parsed: Parsed
  let job: Job
  try {
    parsed = parseOptions(argv)
    if (parsed.kind === 'help') {
      process.stdout.write(parsed.text)
      return 0
    }
    job = await jobOf(parsed.options, app)
  } catch (error) {
    const hint = error instanceof OptionError ? '\nnpm start -- --help lists the flags.' : ''
    process.stderr.write(`${printable(error instanceof Error ? error.message : String(error))}${hint}\n`)
    return WRONG_INPUT
  }

  const { options } = job
  using interrupt = onInterrupt()
  const display = startDisplay(options.json ? process.stderr : process.stdout)
  try {
    const { signal } = interrupt
    const { summary, verdict } = await simulate({ ...job, root: ROOT, display, signal })
    const word = inAWord(verdict)
    if (options.json) process.stdout.write(`${JSON.stringify({ verdict: word, ...summary })}\n`)
    if (word === 'wrong') return FAILED
    if (word === 'inconclusive') return INCONCLUSIVE
    return signal.aborted && options.ticks !== undefined ? INTERRUPTED_EXIT_CODE : 0
  } catch (error) {
    if (error === interrupt.signal.reason) return INTERRUPTED_EXIT_CODE
    process.stderr.write(`${printable(messageOf(error))}\n`)
    return FAILED
  } finally {
    display.close()
  }
}

function inAWord({ faults, inconclusive }: Verdict): 'right' | 'wrong' | 'inconclusive' {
  if (faults.length > 0) return 'wrong'
  return inconclusive.length > 0 ? 'inconclusive' : 'right'
}

type Job = Pick<Run<ElectionSummary>, 'options' | 'task' | 'app' | 'context'>

/** Reads what the flags name. @throws Error that says what is wrong with it */
export async function jobOf(asked: StartOptions, app?: string): Promise<Job> {
  const { own, scenarioFile } = asked
  const planned = scenarioFile === undefined ? [] : await readScenarioFile(fromWhereNpmWasCalled(scenarioFile))
  const options = { ...asked, scenario: [...asked.scenario, ...planned] }
  refuseUnknownCandidates(options.scenario, options.candidates)
  if (own === undefined) {
    return { options, task: billing(await customersOf(asked)), app: app ?? (await appCommand(ROOT)) }
  }
  const entry = fromWhereNpmWasCalled(own.path)
  await checkEntry(entry, fromWhereNpmWasCalled('.'))
  const { lease, environment, tables, timeoutMs } = own
  const asJson = tables.map(({ name, keys }) => ({ name, keys }))
  const context = { ownFunction: { entry, lease, environment, tables: asJson, timeoutMs } }
  const task = ownFunction({ path: own.path, lease, directory: fromWhereNpmWasCalled('.') })
  return { options, task, app: OWN_FUNCTION_APP, context }
}

async function readScenarioFile(file: string): Promise<readonly ScheduledFault[]> {
  try {
    return readScenario(JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    throw new OptionError(`--scenario ${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function customersOf({ customers, ticks }: StartOptions): Promise<readonly Subscription[]> {
  if (customers === undefined) {
    // A run that goes on and on is to have something to do.
    return ticks === undefined
      ? [...generateCustomers(SEED), ...generateWeeklyCustomers(SEED)]
      : generateCustomers(SEED)
  }
  if (typeof customers === 'number') return generateCustomers(SEED, customers, { dueTogether: true })
  return readCustomers(fromWhereNpmWasCalled(customers))
}

/** npm runs its scripts in the project's root, wherever in it the user is. */
function fromWhereNpmWasCalled(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? '.', path)
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.name === 'Error' ? error.message : `${error.name}: ${error.message}`
}
