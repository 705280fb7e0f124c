/** `npm start`: from the command line to the exit code. */
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Subscription } from '../../../functions/billing/subscription.ts'
import { OptionError } from '../../programs/flags.ts'
import { INTERRUPTED_EXIT_CODE, onInterrupt } from '../../programs/interrupt.ts'
import { printable } from '../../programs/text.ts'
import { type BillingReport, billing } from '../billing/billing-task.ts'
import { readCustomers } from '../billing/csv.ts'
import { generateCustomers, generateWeeklyCustomers } from '../billing/generate.ts'
import { readScenario, refuseUnknownCandidates, type ScheduledFault } from '../faults/fault.ts'
import { checkEntry } from '../own-function/entry.ts'
import { ownFunction } from '../own-function/own-function.ts'
import { type LocalRunOptions, runLocally } from '../run/local-run.ts'
import { appCommand } from '../stack/synthesize.ts'
import { Display } from './display.ts'
import { type Parsed, parseOptions, type StartOptions } from './options.ts'
import { type Conclusion, conclude, type Verdict } from './verdict.ts'

const ROOT = join(import.meta.dirname, '../../..')
const OWN_FUNCTION_APP = 'node infra/local/own-function/own-function-app.ts'
const SEED = 1
const EXIT_CODES = { right: 0, wrong: 1, wrongInput: 2, inconclusive: 3 } as const

/**
 * @param app the command that synthesizes the stacks. @default that of `cdk.json`
 * @returns the exit code
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
    return EXIT_CODES.wrongInput
  }

  const { options } = job
  using interrupt = onInterrupt()
  const { signal } = interrupt
  using display = new Display(options.json ? process.stderr : process.stdout)
  try {
    const { summary, verdict } = await runJob(job, display, signal)
    const word = inOneWord(verdict)
    if (options.json) process.stdout.write(`${JSON.stringify({ verdict: word, ...summary })}\n`)
    const wasCutShort = word === 'right' && signal.aborted && options.ticks !== undefined
    return wasCutShort ? INTERRUPTED_EXIT_CODE : EXIT_CODES[word]
  } catch (error) {
    if (error === signal.reason) return INTERRUPTED_EXIT_CODE
    process.stderr.write(`${printable(messageOf(error))}\n`)
    return EXIT_CODES.wrong
  }
}

function inOneWord({ errors, inconclusive }: Verdict): 'right' | 'wrong' | 'inconclusive' {
  if (errors.length > 0) return 'wrong'
  return inconclusive.length > 0 ? 'inconclusive' : 'right'
}

export interface Job extends Omit<LocalRunOptions<BillingReport | undefined>, 'display' | 'signal'> {
  readonly options: StartOptions
}

/** Reads the files that the options name. @throws Error that says what is wrong with them */
export async function jobOf(given: StartOptions, app?: string): Promise<Job> {
  const { own, scenarioFile } = given
  const more = scenarioFile === undefined ? [] : await readScenarioFile(fromUsersDirectory(scenarioFile))
  const options = { ...given, scenario: [...given.scenario, ...more] }
  refuseUnknownCandidates(options.scenario, options.candidates)
  if (own === undefined) {
    const task = billing(await customersOf(given))
    return { options, task, root: ROOT, app: app ?? (await appCommand(ROOT)) }
  }
  const { path, lease, environment, timeoutMs } = own
  const [entry, directory] = [fromUsersDirectory(path), fromUsersDirectory('.')]
  await checkEntry(entry, directory)
  const context = { ownFunction: { entry, lease, environment, tables: own.tables, timeoutMs } }
  return { options, task: ownFunction({ path, directory }), root: ROOT, app: OWN_FUNCTION_APP, context }
}

export function runJob(job: Job, display: Display, signal: AbortSignal): Promise<Conclusion> {
  return runLocally({ ...job, display, signal }, (end, report) => {
    const conclusion = conclude(end, report, job.options)
    display.ended(conclusion, end, report)
    return conclusion
  })
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
    const monthly = generateCustomers(SEED)
    // An endless run needs more work.
    return ticks === undefined ? [...monthly, ...generateWeeklyCustomers(SEED)] : monthly
  }
  if (typeof customers === 'number') return generateCustomers(SEED, customers, { dueTogether: true })
  return readCustomers(fromUsersDirectory(customers))
}

/** npm runs its scripts in the root of the project, wherever the user called it. */
function fromUsersDirectory(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? '.', path)
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.name === 'Error' ? error.message : `${error.name}: ${error.message}`
}
