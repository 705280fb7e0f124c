/** `tenure init` and `tenure dev`: from the command line to the exit code. */
// @ts-nocheck

import { Command } from 'commander'
import { similar } from '../../functions/election/similar.ts'
import { OptionError, readFlags } from '../programs/flags.ts'
import { printable } from '../programs/text.ts'
import { init, VERSION } from './init.ts'

const HELP = `Usage: tenure <command>

Leader election for scheduled Lambda functions.

Commands:
  init [folder]   write a small project that works at once: an elected
                  function, its test and its stack
  dev <file>      run your function on this machine with several candidates,
                  and break its election

tenure <command> --help explains a command. tenure --version prints the version.
`

const COMMANDS = new Map([
  ['init', runInit],
  ['dev', runDev],
])

/** @returns the exit code: 2 if the command line is wrong */
export async function main([name = '--help', ...argv]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h' || name === 'help') return print(HELP)
  if (name === '--version') return print(`${VERSION}\n`)
  const command = COMMANDS.get(name)
  if (command !== undefined) return command(argv)
  const names = [...COMMANDS.keys()]
  const meant = similar(name, names, { furthest: 2 })
  const advice = meant === undefined ? `The commands are ${names.join(' and ')}` : `Did you mean ${meant}?`
  return refuse(`tenure has no command "${name}". ${advice}`, 'tenure --help lists the commands.')
}

async function runInit(argv: readonly string[]): Promise<number> {
  const command = new Command('tenure init')
    .usage('[folder] [options]')
    .description('Writes a small project with an elected function, its test and its stack.')
    .argument('[folder]', 'a new or empty folder', '.')
    .option('--javascript', 'JavaScript instead of TypeScript', false)
  try {
    const read = readFlags<{ readonly javascript: boolean }>(command, argv)
    return print(read.kind === 'help' ? read.text : init(read.args[0] ?? '.', read.flags))
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error), error instanceof OptionError ? INIT_HELP : '')
  }
}

/** Imported only here: the local run is most of this package. */
async function runDev(argv: readonly string[]): Promise<number> {
  const [{ run }, { dev }] = await Promise.all([import('../local/cli/command.ts'), import('../local/cli/dev.ts')])
  return run(dev, argv)
}

const INIT_HELP = 'tenure init --help lists the options.'

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

function refuse(message: string, hint: string): number {
  process.stderr.write(printable(`${message}\n${hint}`).trimEnd().concat('\n'))
  return 2
}
