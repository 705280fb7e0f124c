/** The flags of `npm run nemesis`, checked before anything is started. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { OptionError, readFlags } from '../../../infra/programs/flags.ts'
import { WORKLOAD_NAMES, type WorkloadName } from './workloads.ts'

export interface NemesisOptions {
  readonly quick: boolean
  readonly seed: number
  readonly workloads: readonly WorkloadName[]
  /** Where the histories are to be kept; undefined keeps them only where something went wrong. */
  readonly histories: string | undefined
  readonly json: string | undefined
}

export type Parsed =
  | { readonly kind: 'fight'; readonly options: NemesisOptions }
  | { readonly kind: 'help'; readonly text: string }

interface Flags {
  readonly quick: boolean
  readonly seed: number
  readonly only?: WorkloadName
  readonly histories?: string
  readonly json?: string
}

const EPILOG = `
Real processes run the shipped library against DynamoDB Local, through a network that loses, delays, repeats, cuts and refuses;
they are killed, frozen past their lease, and their clocks are set wrong. The histories of all requests are then checked.

Exit code: 0 where every claim held and the controls lost updates, as they must; 1 where not; 2 for a wrong flag; 130 for Ctrl-C.`

/** @throws OptionError */
export function parseOptions(argv: readonly string[]): Parsed {
  const command = new Command('npm run nemesis --')
    .description('Fights the library with real faults, and checks what it did. About three minutes.')
    .option('--quick', 'fewer operations: about one minute', false)
    .option(
      '--seed <number>',
      'which faults, when; processes are real, so that a seed repeats the plan, not the run',
      seed,
      1,
    )
    .addOption(new Option('--only <workload>', 'one of the five').choices(WORKLOAD_NAMES))
    .option('--histories <directory>', 'keep the histories there (default: a temporary directory, kept on failure)')
    .option('--json <file>', 'write the findings to this file too')
    .addHelpText('after', EPILOG)
  const read = readFlags<Flags>(command, argv)
  if (read.kind === 'help') return read
  const { only, histories, ...flags } = read.flags
  const workloads = only === undefined ? WORKLOAD_NAMES : [only]
  const taken = workloads.find((name) => histories !== undefined && existsSync(join(histories, name)))
  if (taken !== undefined) {
    throw new OptionError(`${histories} holds a history of "${taken}" already: give a directory without one.`)
  }
  return { kind: 'fight', options: { ...flags, json: flags.json, workloads, histories } }
}

function seed(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (number <= 0xffff_ffff) return number
  throw new InvalidArgumentError('Give a whole number from 0 to 4294967295.')
}
