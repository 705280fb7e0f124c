/** The flags of `npm start`, checked before anything is started. */
import { Command, CommanderError, InvalidArgumentError } from 'commander'

export interface StartOptions {
  /** The least real time between the starts of two ticks, in milliseconds. */
  readonly everyMs: number
  /** How many ticks; undefined runs until Ctrl-C. */
  readonly ticks: number | undefined
  readonly candidates: number
  /** A CSV file; undefined takes the generated customers. */
  readonly customers: string | undefined
  readonly cold: boolean
  readonly json: boolean
  /** In which tick, counted from 1, the leader is killed. */
  readonly killLeader: number | undefined
  /** How long the minutes between Lambda's retries, and the lease, last here: 0.1 is a tenth. */
  readonly timeScale: number
}

/** The command line is wrong: `message` says what was given, what is allowed, and the nearest flag to an unknown one. */
export class OptionError extends Error {
  override readonly name = 'OptionError'
}

export type Parsed =
  | { readonly kind: 'start'; readonly options: StartOptions }
  | { readonly kind: 'help'; readonly text: string }

/** EventBridge schedules per tick that the construct allows. */
const MOST_CANDIDATES = 10
/** The lease of 15 s must last a second at least; a scale above 1 would only make one wait longer than AWS does. */
const TIME_SCALE = { least: 0.07, most: 1 } as const
const LONGEST_PAUSE_MS = 3_600_000

interface Flags {
  readonly every?: number
  readonly ticks?: number
  readonly candidates: number
  readonly customers?: string
  readonly cold: boolean
  readonly json: boolean
  readonly killLeader?: number
  readonly timeScale: number
}

const EPILOG = `
Ticks are hours that have passed, from the first at which something was due. A tick starts when the one before it has
settled, all its retries included; in production a period is far longer than they are.

Exit code: 0 when every tick was completed and everything due was charged once; 1 when not, or when the run could not
start; 2 for a wrong flag or customers file; 130 when Ctrl-C cut --ticks short. A second Ctrl-C ends at once.`

/** @throws OptionError */
export function parseOptions(argv: readonly string[]): Parsed {
  let said = ''
  const hear = (text: string) => {
    said += text
  }
  const command = new Command('npm start --')
    .description('Runs the deployed stacks on this machine: one leader charges the subscriptions at every tick.')
    .option(
      '--every <duration>',
      'the least time from one tick to the next, such as 500ms, 2s, 1m (default: 2s)',
      durationMs,
    )
    .option('--ticks <number>', 'how many ticks (default: until Ctrl-C)', wholeNumber(1, 1_000_000))
    .option('--candidates <number>', 'how many wake at every tick', wholeNumber(1, MOST_CANDIDATES), 4)
    .option('--customers <file>', 'CSV file of subscriptions (default: generated ones)')
    .option('--cold', 'every invocation in a new execution environment', false)
    .option('--json', 'one JSON object as the last line of standard output; the rest goes to standard error', false)
    .option('--kill-leader <tick>', 'kill the leader of this tick in the middle of its work', wholeNumber(1, 1_000_000))
    .option('--time-scale <factor>', "how long Lambda's retry delays and the lease last here", timeScale, 0.1)
    .addHelpText('after', EPILOG)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: hear, writeErr: hear })
  try {
    command.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { kind: 'help', text: said }
    const hint = error.code === 'commander.excessArguments' ? ' Flags go behind `--`: npm start -- --ticks 5' : ''
    throw new OptionError(said.trim().replace(/^error: /, '') + hint, { cause: error })
  }
  const { every = 2_000, ticks, killLeader, customers, ...rest } = command.opts<Flags>()
  if (killLeader !== undefined && ticks !== undefined && killLeader > ticks) {
    throw new OptionError(`--kill-leader ${killLeader} is beyond the last tick: --ticks is ${ticks}`)
  }
  return { kind: 'start', options: { everyMs: every, ticks, killLeader, customers, ...rest } }
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 }

function durationMs(text: string): number {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text) ?? []
  const ms = Number(count) * (UNIT_MS[unit] ?? Number.NaN)
  if (ms >= 0 && ms <= LONGEST_PAUSE_MS) return ms
  throw new InvalidArgumentError('Give a number with ms, s or m, such as 500ms, 2s or 1m, up to 60m.')
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (number >= least && number <= most) return number
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`)
  }
}

function timeScale(text: string): number {
  const { least, most } = TIME_SCALE
  const factor = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN
  if (factor >= least && factor <= most) return factor
  throw new InvalidArgumentError(`Give a number from ${least} to ${most}; 1 lasts as long as on AWS.`)
}
