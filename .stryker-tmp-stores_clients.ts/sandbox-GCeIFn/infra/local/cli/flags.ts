/** The flags of `npm start` and of `tenure dev`: how each is explained and read. `options.ts` combines them. */
// @ts-nocheck

import { Command, Option } from 'commander'
import { type Flags, readFlags } from '../../programs/flags.ts'
import { MANUAL_FAULTS, MAX_CANDIDATES, MAX_TICKS, type ScheduledFault } from '../faults/fault.ts'
import { PROTECTIONS } from '../faults/protections.ts'
import type { OwnFunctionOptions } from '../own-function/own-function.ts'
import type { RunOptions } from '../run/options.ts'
import { durationMs, faultIn, fileOrNumber, tables, timeoutMs, timeScale, variables, wholeNumber } from './values.ts'

export interface RunFlags extends Omit<RunOptions, 'everyMs' | 'timeoutMs' | 'scenario' | 'port'> {
  readonly every?: number
  readonly timeout?: number
  readonly json: boolean
  readonly thawLeader?: number
  readonly scenario?: string
  /** The flags that schedule a fault, in their order: a candidate may be added and then cut off. */
  readonly scheduled: readonly ScheduledFault[]
  readonly port?: number
}

export interface StartFlags extends RunFlags {
  readonly customers?: string | number
  /** True without a number. */
  readonly standing?: number | true
  readonly for?: number
}

export interface DevFlags extends RunFlags, Pick<OwnFunctionOptions, 'env' | 'table'> {
  readonly lease?: string
}

export const CHAOS_TICKS = 8
export const TICKS_WITHOUT = 3

export const DEFAULT_SERVERS = 4
/** What a run without ticks does not have. */
const OF_TICKS = [
  ...['customers', 'chaos', 'without', 'every', 'ticks', 'candidates', 'timeout', 'cold', 'timeScale', 'scenario'],
  ...['killLeader', 'freezeLeader', 'thawLeader', 'skewClock', 'dropReply', 'cutOff', 'reconnect'],
  ...['addCandidate', 'removeCandidate'],
]

const SCENARIO_HELP = `
The page can inject any fault by hand. A flag injects one before a given tick,
and so does a scenario file, a JSON list:
  [{ "tick": 2, "do": "freezeLeader" }, { "tick": 4, "do": "thawLeader" },
   { "tick": 5, "do": "skewClock", "candidate": 1, "ms": 5000 }]
with ${MANUAL_FAULTS.slice(0, 5).join(', ')},
${MANUAL_FAULTS.slice(5).join(', ')}.`

const EXIT_CODES_HELP = `  1 if not, or if the run could not start
  2 for a wrong flag or file
  3 if a requested fault did not happen or had no effect, or no server led: the
    run proves nothing
  130 if Ctrl-C cut --ticks short. A second Ctrl-C ends the run at once.`

const START_HELP = `
Ticks are past hours, from the first one at which something was due: by default
one simulated hour per two seconds. A tick waits for its retries first; in
production a period is far longer than they are.
${SCENARIO_HELP}

Billing that takes longer than the function's time-out continues in further
invocations:
  npm start -- --customers 20000 --ticks 1 --timeout 60s --time-scale 1

Servers that stay have no ticks: each candidate is a process that stands for one
lease of 3 s, leads, appends to a protected row, and is started again when it
ends. The page kills, freezes, cuts off and skews them, and hands over:
  npm start -- --standing 4 --for 1m --json

Faults act on processes and on the requests between them; the functions are the
deployed ones. --without runs ${TICKS_WITHOUT} ticks, with the fault that shows what is
missing: for the fence a frozen leader, for the key a killed one.

To run a function of your own: tenure dev <file>.

Exit codes:
  0 if every tick was completed by one leader, everything due was charged once,
    and gateway and ledger agree; of servers, if each token was higher than all
    before, and writes were applied in the order of their tokens
${EXIT_CODES_HELP}`

const DEV_HELP = `
The file exports "handler", which elects a leader with leaderOnly or withLease
from 'tenure'. It is bundled as ElectedSchedule bundles it, and gets LEASE_TABLE
and LEASE_NAME. An example, with the table and the variable that it needs:
  tenure dev functions/send.ts --lease invoices \\
    --table Invoices:id --env INVOICES=Invoices

Ticks are past hours, one simulated hour per two seconds by default. A tick
waits for its retries first. DynamoDB Local is the one at DYNAMODB_ENDPOINT, or
the jar in amplify-dynamodb-simulator with Java 17, or an image of Docker.
${SCENARIO_HELP}

Exit codes:
  0 if every tick was completed by one leader
${EXIT_CODES_HELP}`

/** The flags of `npm start`: the billing stack. @throws OptionError */
export function readStartFlags(argv: readonly string[]): Flags<StartFlags> {
  const chaos = `faults in the first ticks (default: ${CHAOS_TICKS}), then ticks without; a seed gives the same faults`
  const servers = `run this many servers instead of ticks, ${DEFAULT_SERVERS} if no number is given`
  const standing = new Option('--standing [number]', servers)
  const without = new Option('--without <protection...>', 'switch off protections on the wire')
  const command = new Command('npm start --')
    .description(`Runs the billing stack on this machine, ${AND_ITS_PAGE}`)
    .optionsGroup('Billing:')
    .option('--customers <file|number>', 'CSV file of subscriptions, or how many to invent, due at once', fileOrNumber)
    .option('--chaos <seed>', chaos, wholeNumber(0, 0xffff_ffff))
    .addOption(without.choices(PROTECTIONS).default([], 'none'))
    .optionsGroup('Servers that stay:')
    .addOption(standing.argParser(wholeNumber(2, MAX_CANDIDATES)).conflicts(OF_TICKS))
    .option('--for <duration>', 'how long they run, such as 20s (default: until Ctrl-C)', durationMs)
    .addHelpText('after', START_HELP)
  return readRunFlags(command, argv, {
    'commander.excessArguments': ' Flags go after `--`: npm start -- --ticks 5',
    'commander.conflictingOption': ': servers have no ticks. Break them on the page',
  })
}

/** The flags of `tenure dev`: a function of the user's own. @throws OptionError */
export function readDevFlags(argv: readonly string[]): Flags<DevFlags> {
  const collected = <T>(flags: string, text: string, read: (text: string, known: T) => T, none: T) =>
    new Option(flags, `${text}; may be repeated`).argParser(read).default(none, 'none')
  const command = new Command('tenure dev')
    .usage('<file> [options]')
    .description(`Runs your function on this machine, ${AND_ITS_PAGE}`)
    .argument('<file>', 'the module of the function, TypeScript or JavaScript')
    .optionsGroup('Your function:')
    .option('--lease <name>', 'the lease that it competes for (default: the name of the file)')
    .addOption(collected('--env <name=value>', 'an environment variable for the function', variables, {}))
    .addOption(collected('--table <name:key[:sortKey]>', 'a table for the function, with string keys', tables, []))
    .addHelpText('after', DEV_HELP)
  return readRunFlags(command, argv)
}

const A_CANDIDATE = `a candidate from 1 to ${MAX_CANDIDATES}`
const AND_ITS_PAGE = 'one leader per tick,\nand serves a page that shows and breaks its election.'

function readRunFlags<F extends RunFlags>(
  command: Command,
  argv: readonly string[],
  hints?: Parameters<typeof readFlags>[2],
): Flags<F> {
  const scheduled: ScheduledFault[] = []
  const tick = wholeNumber(1, MAX_TICKS)
  const candidates = wholeNumber(1, MAX_CANDIDATES)
  const schedules = (name: ScheduledFault['do'], form = `a tick and ${A_CANDIDATE}, such as 2:1`) => {
    const read = faultIn(name, form)
    return (text: string) => scheduled.push(read(text)) // a value shows that the flag was given
  }
  command
    .optionsGroup('The run:')
    .option('--every <duration>', 'least time between ticks, such as 500ms, 2s, 1m (default: 2s)', durationMs)
    .option('--ticks <number>', 'how many ticks (default: until Ctrl-C)', tick)
    .option('--candidates <number>', 'how many candidates compete at every tick', candidates, 4)
    .option('--timeout <duration>', 'time-out of the function, 1s to 15m (default: 5m)', timeoutMs)
    .option('--cold', 'a new execution environment for every invocation', false)
    .option('--time-scale <factor>', "multiplies Lambda's retry delays and the lease duration", timeScale, 0.1)
    .option('--json', 'print one JSON object as the last line of stdout, everything else to stderr', false)
    .option('--port <number>', 'port of the page (default: any free port)', wholeNumber(1, 65_535))
    .option('--no-page', 'serve no page')
    .optionsGroup('Faults:')
    .option('--kill-leader <tick>', 'kill the leader of this tick in the middle of its work', tick)
    .option('--freeze-leader <tick>', 'freeze the leader of this tick at a write until it is replaced', tick)
    .option('--thaw-leader <tick>', 'keep the frozen leader frozen until this tick', tick)
    .option(
      '--skew-clock <tick:candidate:duration>',
      'a clock ahead (2:1:5s) or behind (2:1:-5s)',
      schedules('skewClock', `a tick, ${A_CANDIDATE}, and a duration up to 60m, such as 2:1:5s or 2:1:-5s`),
    )
    .option('--drop-reply <tick:candidate>', 'drop the next reply of DynamoDB', schedules('dropReply'))
    .option('--cut-off <tick:candidate>', 'drop all requests of a candidate', schedules('cutOff'))
    .option('--reconnect <tick:candidate>', 'end a cut-off', schedules('reconnect'))
    .option('--add-candidate <tick>', 'add a candidate', schedules('addCandidate', 'a tick'))
    .option('--remove-candidate <tick:candidate>', 'remove a candidate', schedules('removeCandidate'))
    .option('--scenario <file>', 'JSON file with more faults')
  const read = readFlags<F>(command, argv, hints)
  return read.kind === 'help' ? read : { ...read, flags: { ...read.flags, scheduled } }
}
