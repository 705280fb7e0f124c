/** How the project's commands read their flags: nothing is printed and nothing ends but by who asked. */
import { type Command, CommanderError } from 'commander'

/** The command line is wrong: `message` says what was given, what is allowed, and the nearest flag to an unknown one. */
export class OptionError extends Error {
  override readonly name = 'OptionError'
}

export type Flags<F> = { readonly kind: 'flags'; readonly flags: F } | { readonly kind: 'help'; readonly text: string }

/**
 * @param hint what to add to the message that there are arguments which are no flags
 * @throws OptionError
 */
export function readFlags<F extends object>(command: Command, argv: readonly string[], hint = ''): Flags<F> {
  let said = ''
  const hear = (text: string) => {
    said += text
  }
  command.allowExcessArguments(false).exitOverride().configureOutput({ writeOut: hear, writeErr: hear })
  try {
    command.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { kind: 'help', text: said }
    const more = error.code === 'commander.excessArguments' ? hint : ''
    throw new OptionError(said.trim().replace(/^error: /, '') + more, { cause: error })
  }
  return { kind: 'flags', flags: command.opts<F>() }
}
