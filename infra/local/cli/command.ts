/** A command that runs ticks: from its options to its exit code. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { OptionError } from '../../programs/flags.ts'
import { INTERRUPTED_EXIT_CODE, onInterrupt } from '../../programs/interrupt.ts'
import { printable, wrapped } from '../../programs/text.ts'
import { readScenario, refuseUnknownCandidates, type ScheduledFault } from '../faults/fault.ts'
import { type LocalRunOptions, runLocally } from '../run/local-run.ts'
import type { Verdict } from '../run/task.ts'
import { Display } from './display.ts'
import type { CommandOptions, Parsed } from './options.ts'

const EXIT_CODES = { right: 0, wrong: 1, wrongInput: 2, inconclusive: 3 } as const

export interface Command<Options extends CommandOptions> {
  /** Such as `npm start --`. */
  readonly name: string
  /** The paths of the flags are relative to it. */
  readonly directory: string
  /** @throws OptionError */
  parse(argv: readonly string[]): Parsed<Options>
  /** Reads the files that the options name. @throws Error that says what is wrong with them */
  jobOf(options: Options): Promise<Job>
}

export type Job = Pick<LocalRunOptions, 'task' | 'root' | 'app' | 'context'>

/** @returns the exit code */
export async function run<Options extends CommandOptions>(
  command: Command<Options>,
  argv: readonly string[],
): Promise<number> {
  let options: CommandOptions
  let job: Job
  try {
    const parsed = command.parse(argv)
    if (parsed.kind === 'help') {
      process.stdout.write(parsed.text)
      return 0
    }
    options = await withScenario(parsed.options, command.directory)
    job = await command.jobOf(parsed.options)
  } catch (error) {
    const hint = error instanceof OptionError ? `\n${command.name} --help lists the flags.` : ''
    process.stderr.write(`${legible(error instanceof Error ? error.message : String(error))}${hint}\n`)
    return EXIT_CODES.wrongInput
  }

  using interrupt = onInterrupt()
  const { signal } = interrupt
  using display = new Display(options.json ? process.stderr : process.stdout)
  try {
    const { summary, verdict } = await runLocally({ ...job, options, display, signal })
    const word = inOneWord(verdict)
    if (options.json) process.stdout.write(`${JSON.stringify({ verdict: word, ...summary })}\n`)
    const wasCutShort = word === 'right' && signal.aborted && options.ticks !== undefined
    return wasCutShort ? INTERRUPTED_EXIT_CODE : EXIT_CODES[word]
  } catch (error) {
    if (error === signal.reason) return INTERRUPTED_EXIT_CODE
    process.stderr.write(`${legible(messageOf(error))}\n`)
    return EXIT_CODES.wrong
  }
}

function inOneWord({ errors, inconclusive }: Verdict): 'right' | 'wrong' | 'inconclusive' {
  if (errors.length > 0) return 'wrong'
  return inconclusive.length > 0 ? 'inconclusive' : 'right'
}

/** With the faults of the file that `--scenario` names. */
export async function withScenario<Options extends CommandOptions>(
  given: Options,
  directory: string,
): Promise<Options> {
  const { scenarioFile } = given
  const more = scenarioFile === undefined ? [] : await readScenarioFile(resolve(directory, scenarioFile))
  const options = { ...given, scenario: [...given.scenario, ...more] }
  refuseUnknownCandidates(options.scenario, options.candidates)
  return options
}

async function readScenarioFile(file: string): Promise<readonly ScheduledFault[]> {
  try {
    return readScenario(JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    throw new OptionError(`--scenario ${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Indented lines are source or commands, to copy. */
const legible = (text: string): string =>
  printable(text)
    .split('\n')
    .map((line) => (line.startsWith('  ') ? line : wrapped(line, process.stderr.columns)))
    .join('\n')

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.name === 'Error' ? error.message : `${error.name}: ${error.message}`
}
