/** The flags of `npm start`, checked before anything is started. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { CONTROLS, type Control } from './faults/controls.ts'
import { LEAST_CHAOS_TICKS } from './faults/plan.ts'
import { OptionError, readFlags } from './flags.ts'

export interface StartOptions {
  /** The least real time between the starts of two ticks, in milliseconds. */
  readonly everyMs: number
  /** How many ticks, those after the chaos not counted; undefined runs until Ctrl-C. */
  readonly ticks: number | undefined
  readonly candidates: number
  /** A CSV file, or how many to generate, all due at the first tick; undefined takes the generated customers. */
  readonly customers: string | number | undefined
  readonly cold: boolean
  readonly json: boolean
  /** In which tick, counted from 1, the leader is killed. */
  readonly killLeader: number | undefined
  /** In which tick the leader is frozen past its lease. */
  readonly freezeLeader: number | undefined
  /** The seed of a plan of faults. */
  readonly chaos: number | undefined
  /** Protections that are switched off on the wire. */
  readonly without: readonly Control[]
  /** How long the minutes between Lambda's retries, and the lease, last here: 0.1 is a tenth. */
  readonly timeScale: number
}

export type Parsed =
  | { readonly kind: 'start'; readonly options: StartOptions }
  | { readonly kind: 'help'; readonly text: string }

/** EventBridge schedules per tick that the construct allows. */
const MOST_CANDIDATES = 10
/** The lease of 15 s must last a second at least; a scale above 1 would only make one wait longer than AWS does. */
const TIME_SCALE = { least: 0.07, most: 1 } as const
const LONGEST_PAUSE_MS = 3_600_000
const MOST_CUSTOMERS = 100_000
const CHAOS_TICKS = 8
/** Enough to see what a missing protection does, and that it goes on. */
const TICKS_WITHOUT = 3
/** In which tick a leader is hit where nobody said: the second, since the first begins cold. */
const HIT_AT = [2, 3, 1] as const

interface Flags {
  readonly every?: number
  readonly ticks?: number
  readonly candidates: number
  readonly customers?: string | number
  readonly cold: boolean
  readonly json: boolean
  readonly killLeader?: number
  readonly freezeLeader?: number
  readonly chaos?: number
  readonly without: readonly Control[]
  readonly timeScale: number
}

const EPILOG = `
Ticks are hours that have passed, from the first at which something was due. A tick starts when the one before it has
settled, all its retries included; in production a period is far longer than they are.

What kills, freezes, loses or switches off acts on processes and on what passes between them; the functions are those that
are deployed. --without runs ${TICKS_WITHOUT} ticks, and brings the fault that shows what is missing: a frozen leader for the fence, a
killed one for the key.

Exit code: 0 when every tick was completed by one leader, everything due was charged once, and gateway and ledger agree; 1
when not, or when the run could not start; 2 for a wrong flag or customers file; 3 when a fault that was asked for did not
happen, or showed nothing, so that the run proves nothing; 130 when Ctrl-C cut --ticks short. A second Ctrl-C ends at once.`

/** @throws OptionError */
export function parseOptions(argv: readonly string[]): Parsed {
  const tick = wholeNumber(1, 1_000_000)
  const command = new Command('npm start --')
    .description('Runs the deployed stacks on this machine: one leader charges the subscriptions at every tick.')
    .option(
      '--every <duration>',
      'the least time from one tick to the next, such as 500ms, 2s, 1m (default: 2s)',
      durationMs,
    )
    .option('--ticks <number>', 'how many ticks (default: until Ctrl-C)', tick)
    .option('--candidates <number>', 'how many wake at every tick', wholeNumber(1, MOST_CANDIDATES), 4)
    .option(
      '--customers <file|number>',
      'CSV file of subscriptions, or how many to generate, all due at the first tick (default: generated ones)',
      fileOrNumber,
    )
    .option('--cold', 'every invocation in a new execution environment', false)
    .option('--json', 'one JSON object as the last line of standard output; the rest goes to standard error', false)
    .option('--kill-leader <tick>', 'kill the leader of this tick when the gateway has charged and not replied', tick)
    .option(
      '--freeze-leader <tick>',
      'freeze the leader of this tick before a write, until its successor is done',
      tick,
    )
    .option(
      '--chaos <seed>',
      `faults in each of the first ticks (default: ${CHAOS_TICKS} ticks), then calm ones; the same seed, the same plan`,
      wholeNumber(0, 0xffff_ffff),
    )
    .addOption(
      new Option('--without <protection>', 'switch one off, on the wire, to see what it is for; may be repeated')
        .choices(CONTROLS)
        .argParser(oneControlMore)
        .default([], 'none'),
    )
    .option('--time-scale <factor>', "how long Lambda's retry delays and the lease last here", timeScale, 0.1)
    .addHelpText('after', EPILOG)
  const read = readFlags<Flags>(command, argv, ' Flags go behind `--`: npm start -- --ticks 5')
  if (read.kind === 'help') return read
  return { kind: 'start', options: completed(read.flags) }
}

/** What the flags imply, and whether they make sense together. @throws OptionError */
function completed({ every = 2_000, customers, ...flags }: Flags): StartOptions {
  const { chaos, without } = flags
  const ticks = flags.ticks ?? (chaos !== undefined ? CHAOS_TICKS : without.length > 0 ? TICKS_WITHOUT : undefined)
  refuseContradictions(flags, ticks)
  const hits = chaos === undefined
  const freezeLeader = flags.freezeLeader ?? impliedHit(hits && without.includes('fence'), flags.killLeader, ticks)
  const killLeader = flags.killLeader ?? impliedHit(hits && without.includes('key'), freezeLeader, ticks)
  return { ...flags, everyMs: every, ticks, customers, chaos, killLeader, freezeLeader }
}

function refuseContradictions(flags: Flags, ticks = Number.POSITIVE_INFINITY): void {
  const { killLeader, freezeLeader, chaos, without, candidates } = flags
  const hits = { '--kill-leader': killLeader, '--freeze-leader': freezeLeader }
  for (const [flag, tick] of Object.entries(hits)) {
    if (tick === undefined) continue
    if (tick > ticks) throw new OptionError(`${flag} ${tick} is beyond the last tick: --ticks is ${ticks}`)
    if (chaos !== undefined) throw new OptionError(`${flag} and --chaos: chaos plans by itself whom it hits and when`)
  }
  if (killLeader !== undefined && killLeader === freezeLeader) {
    throw new OptionError(`--kill-leader and --freeze-leader: give them different ticks, not ${killLeader} to both`)
  }
  if (chaos !== undefined && ticks < LEAST_CHAOS_TICKS) {
    throw new OptionError(`--chaos needs --ticks ${LEAST_CHAOS_TICKS} at least: one leader is killed, another frozen`)
  }
  if (without.includes('fence') && without.includes('key') && chaos === undefined && ticks < 2) {
    throw new OptionError('--without fence and --without key need --ticks 2 at least: each hits a leader of its own')
  }
  if (without.includes('lease') && (without.includes('fence') || freezeLeader !== undefined)) {
    throw new OptionError(
      'Without the lease each candidate has a lease of its own, and with it a fence of its own: show what the fence is for with --without fence alone',
    )
  }
  if (candidates > 1) return
  const needTwo = [
    ...(freezeLeader === undefined ? [] : ['--freeze-leader']),
    ...(chaos === undefined ? [] : ['--chaos']),
    ...(without.includes('fence') || without.includes('lease') ? ['--without'] : []),
  ]
  if (needTwo.length > 0) throw new OptionError(`${needTwo[0]} needs --candidates 2 at least: one alone has no rival`)
}

/** The tick of a hit that nobody placed, not where the other one is. */
function impliedHit(isImplied: boolean, taken: number | undefined, ticks = 1): number | undefined {
  return isImplied ? HIT_AT.find((tick) => tick <= ticks && tick !== taken) : undefined
}

function fileOrNumber(text: string): string | number {
  return /^\d+$/.test(text) ? wholeNumber(1, MOST_CUSTOMERS)(text) : text
}

function oneControlMore(text: string, known: readonly Control[]): readonly Control[] {
  const control = CONTROLS.find((one) => one === text)
  if (control === undefined) throw new InvalidArgumentError(`Allowed choices are ${CONTROLS.join(', ')}.`)
  return [...new Set([...known, control])]
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
