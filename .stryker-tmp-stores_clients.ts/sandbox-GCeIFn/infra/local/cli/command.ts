/** A command that runs ticks: from its options to its exit code. */
// @ts-nocheck

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { OptionError } from '../../programs/flags.ts'
import { INTERRUPTED_EXIT_CODE, onInterrupt } from '../../programs/interrupt.ts'
import { printable, wrapped } from '../../programs/text.ts'
import { readScenario, type ScheduledFault } from '../faults/fault.ts'
import { Display } from '../run/display.ts'
import { type LocalRunOptions, runLocally } from '../run/local-run.ts'
import type { Conclusion } from '../run/verdict.ts'
import type { CommandOptions, Parsed } from './options.ts'

const EXIT_CODES = { right: 0, wrong: 1, wrongInput: 2, inconclusive: 3 } as const

export interface Command<Options extends CommandOptions> {
  readonly name: string
  /** The paths of the flags are relative to it. */
  readonly directory: string
  /** @throws OptionError */
  parse(argv: readonly string[]): Parsed<Options>
  /** Reads the files that the options name. @throws Error that says what is wrong with them */
  jobOf(options: Options): Promise<Job>
}

export interface Job extends Pick<LocalRunOptions, 'task' | 'root' | 'app' | 'context' | 'options'> {
  /** How long a run without ticks lasts; until Ctrl-C if it is undefined. */
  readonly forMs?: number | undefined
  /** A run without ticks. @default runs ticks */
  readonly conduct?: (run: LocalRunOptions) => Promise<Conducted>
}

interface Conducted {
  readonly summary: object
  readonly verdict: Pick<Conclusion['verdict'], 'errors' | 'inconclusive'>
}

/** The job, with the faults of the file that `--scenario` names; or the help. @throws Error that says what is wrong */
export async function prepare<Options extends CommandOptions>(command: Command<Options>, argv: readonly string[]) {
  const options = command.parse(argv)
  if (typeof options === 'string') return options
  const { scenarioFile, json, scenario: flags } = options
  const file = scenarioFile === undefined ? [] : await readScenarioFile(resolve(command.directory, scenarioFile))
  const job = await command.jobOf({ ...options, scenario: [...flags, ...file] })
  return { job, json }
}

export async function run<Options extends CommandOptions>(
  command: Command<Options>,
  argv: readonly string[],
): Promise<number> {
  const prepared = await prepare(command, argv).catch((error: unknown) => {
    const hint = error instanceof OptionError ? `\n${command.name} --help lists the flags.` : ''
    return complain((error instanceof Error ? error.message : String(error)) + hint)
  })
  if (prepared === undefined) return EXIT_CODES.wrongInput
  if (typeof prepared === 'string') {
    process.stdout.write(prepared)
    return 0
  }
  const { job, json } = prepared
  using interrupt = onInterrupt()
  const { signal } = interrupt
  const display = new Display(json ? process.stderr : process.stdout)
  try {
    const { conduct = runLocally } = job
    const { summary, verdict: found }: Conducted = await conduct({ ...job, display, signal })
    const verdict = found.errors.length > 0 ? 'wrong' : found.inconclusive.length > 0 ? 'inconclusive' : 'right'
    if (json) process.stdout.write(`${JSON.stringify({ verdict, ...summary })}\n`)
    const wasCutShort = verdict === 'right' && signal.aborted && (job.options.ticks ?? job.forMs) !== undefined
    return wasCutShort ? INTERRUPTED_EXIT_CODE : EXIT_CODES[verdict]
  } catch (error) {
    if (error === signal.reason) return INTERRUPTED_EXIT_CODE
    complain(error instanceof Error && error.name === 'Error' ? error.message : String(error))
    return EXIT_CODES.wrong
  }
}

async function readScenarioFile(file: string): Promise<readonly ScheduledFault[]> {
  try {
    return readScenario(JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    throw new OptionError(`--scenario ${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Indented lines are source or commands, to copy. */
function complain(text: string): undefined {
  const lines = printable(text).split('\n')
  const shown = lines.map((line) => (line.startsWith('  ') ? line : wrapped(line, process.stderr.columns)))
  process.stderr.write(`${shown.join('\n')}\n`)
}
