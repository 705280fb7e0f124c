/** Reads the flags of this project's commands. It prints nothing and ends nothing: that is for the caller. */
// @ts-nocheck

import { type Command, CommanderError } from 'commander'

/** The command line is wrong. The message says what was given, what is allowed, and the flag most like it. */
export class OptionError extends Error {
  override readonly name = 'OptionError'
}

export type Flags<F> =
  | { readonly kind: 'flags'; readonly flags: F; readonly args: readonly string[] }
  | { readonly kind: 'help'; readonly text: string }

/** @param hints added to commander's messages, by code: such as `commander.excessArguments`. @throws OptionError */
export function readFlags<F extends object>(
  command: Command,
  argv: readonly string[],
  hints: Readonly<Record<string, string>> = {},
): Flags<F> {
  let output = ''
  const collect = (text: string) => {
    output += text
  }
  command.configureHelp({ helpWidth: 80, minWidthToWrap: 30 })
  command.allowExcessArguments(false).exitOverride().configureOutput({ writeOut: collect, writeErr: collect })
  try {
    command.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { kind: 'help', text: output }
    throw new OptionError(output.trim().replace(/^error: /, '') + (hints[error.code] ?? ''), { cause: error })
  }
  return { kind: 'flags', flags: command.opts<F>(), args: command.args }
}
