/** The flags of `npm start`, as they are declared and explained; what they imply together is for `options.ts`. */
import { Command, Option } from 'commander'
import { readFlags } from '../../programs/flags.ts'
import { MAX_CANDIDATES, MAX_TICKS, type ScheduledFault } from '../faults/fault.ts'
import { PROTECTIONS, type Protection } from '../faults/protections.ts'
import {
  candidateAt,
  clockAt,
  durationMs,
  fileOrNumber,
  type OwnTable,
  oneControlMore,
  oneTableMore,
  oneVariableMore,
  timeoutMs,
  timeScale,
  wholeNumber,
} from './flag-values.ts'

/** Those that plan something are not among them, but acts. */
export interface StartFlags {
  readonly every?: number
  readonly ticks?: number
  readonly candidates: number
  readonly customers?: string | number
  readonly cold: boolean
  readonly json: boolean
  readonly killLeader?: number
  readonly freezeLeader?: number
  readonly chaos?: number
  readonly without: readonly Protection[]
  readonly timeScale: number
  readonly thawLeader?: number
  readonly scenario?: string
  readonly function?: string
  readonly lease?: string
  readonly env: Readonly<Record<string, string>>
  readonly table: readonly OwnTable[]
  readonly timeout?: number
  readonly page: boolean
  readonly port?: number
}

export type Read =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'flags'; readonly flags: StartFlags; readonly acts: readonly ScheduledFault[] }

/** How long a chaos lasts where nobody said. */
export const CHAOS_TICKS = 8
/** Enough to see what a missing protection does, and that it goes on. */
export const TICKS_WITHOUT = 3

const EPILOG = `
Ticks are hours that have passed, from the first at which something was due. A tick starts when the one before it has
settled, all its retries included; in production a period is far longer than they are.

Everything that the page can do to an election can also be planned: by a flag that names the tick before which it is done,
and the candidate; or in a scenario file, a JSON list such as
  [{ "tick": 2, "do": "freezeLeader" }, { "tick": 4, "do": "thawLeader" }, { "tick": 5, "do": "skewClock", "candidate": 1, "ms": 5000 }]
with killLeader, freezeLeader, thawLeader, skewClock, dropReply, cutOff, reconnect, addCandidate and removeCandidate.

--function runs a handler of your own instead of billing, bundled as ElectedSchedule bundles it: a module that exports
"handler" and elects with leaderOnly or withLease, imported from 'tenure', on LEASE_TABLE and LEASE_NAME. What it needs else:
  --function send.ts --lease invoices --table Invoices:id --env INVOICES=Invoices

What kills, freezes, loses or switches off acts on processes and on what passes between them; the functions are those that
are deployed. --without runs ${TICKS_WITHOUT} ticks, and brings the fault that shows what is missing: a frozen leader for the fence, a
killed one for the key.

Exit code: 0 when every tick was completed by one leader, everything due was charged once, and gateway and ledger agree; 1
when not, or when the run could not start; 2 for a wrong flag, customers file or function; 3 when a fault that was asked for did not
happen, or showed nothing, so that the run proves nothing; 130 when Ctrl-C cut --ticks short. A second Ctrl-C ends at once.`

/** @throws OptionError */
export function readStartFlags(argv: readonly string[]): Read {
  const tick = wholeNumber(1, MAX_TICKS)
  /** What the flags plan, in the order in which they were given: a candidate may be added and then cut off. */
  const acts: ScheduledFault[] = []
  const plans = (read: (text: string) => ScheduledFault) => (text: string) => void acts.push(read(text))
  const command = new Command('npm start --')
    .description(
      'Runs the deployed stacks on this machine, one leader at every tick, and serves a page on which to watch and to break it.',
    )
    .optionsGroup('The run:')
    .option(
      '--every <duration>',
      'the least time from one tick to the next, such as 500ms, 2s, 1m (default: 2s)',
      durationMs,
    )
    .option('--ticks <number>', 'how many ticks (default: until Ctrl-C)', tick)
    .option('--candidates <number>', 'how many wake at every tick', wholeNumber(1, MAX_CANDIDATES), 4)
    .option(
      '--customers <file|number>',
      'CSV file of subscriptions, or how many to generate, all due at the first tick (default: generated ones)',
      fileOrNumber,
    )
    .option('--cold', 'every invocation in a new execution environment', false)
    .option('--time-scale <factor>', "how long Lambda's retry delays and the lease last here", timeScale, 0.1)
    .option('--json', 'one JSON object as the last line of standard output; the rest goes to standard error', false)
    .option('--port <number>', "the page's port (default: any that is free)", wholeNumber(1, 65_535))
    .option('--no-page', 'without the page on which to watch the election, and break it')

    .optionsGroup('Break it:')
    .option('--kill-leader <tick>', 'kill the leader of this tick when the gateway has charged and not replied', tick)
    .option(
      '--freeze-leader <tick>',
      'freeze the leader of this tick before a write, until its successor is done',
      tick,
    )
    .option(
      '--thaw-leader <tick>',
      'thaw the frozen leader before this tick, not already when its successor is done',
      tick,
    )
    .option(
      '--chaos <seed>',
      `faults in each of the first ticks (default: ${CHAOS_TICKS} ticks), then calm ones; the same seed, the same plan`,
      wholeNumber(0, 0xffff_ffff),
    )
    .addOption(
      new Option('--without <protection>', 'switch one off, on the wire, to see what it is for; may be repeated')
        .choices(PROTECTIONS)
        .argParser(oneControlMore)
        .default([], 'none'),
    )
    .option(
      '--skew-clock <tick:candidate:duration>',
      'set its clock ahead, such as 2:1:5s; behind: 2:1:-5s',
      plans(clockAt),
    )
    .option(
      '--drop-reply <tick:candidate>',
      'the next reply of DynamoDB to it is lost',
      plans(candidateAt('dropReply')),
    )
    .option('--cut-off <tick:candidate>', 'no request of it arrives any more', plans(candidateAt('cutOff')))
    .option('--reconnect <tick:candidate>', 'its requests arrive again', plans(candidateAt('reconnect')))
    .option(
      '--add-candidate <tick>',
      'one candidate more',
      plans((text) => ({ tick: tick(text), do: 'addCandidate' })),
    )
    .option('--remove-candidate <tick:candidate>', 'one candidate less', plans(candidateAt('removeCandidate')))
    .option('--scenario <file>', 'JSON file of what to do to the election, and before which tick')

    .optionsGroup('Your own function:')
    .option('--function <file>', 'run the handler that this module exports instead of billing; needs --lease')
    .option('--lease <name>', 'the lease that it asks for')
    .addOption(
      new Option('--env <name=value>', 'a variable of its environment; may be repeated')
        .argParser(oneVariableMore)
        .default({}, 'none'),
    )
    .addOption(
      new Option('--table <name:key[:sortKey]>', 'a table that it uses, with texts as keys; may be repeated')
        .argParser(oneTableMore)
        .default([], 'none'),
    )
    .option('--timeout <duration>', 'how long it may run at a time: 1s to 15m (default: 5m)', timeoutMs)
    .addHelpText('after', EPILOG)
  const read = readFlags<StartFlags>(command, argv, ' Flags go behind `--`: npm start -- --ticks 5')
  if (read.kind === 'help') return read
  return { ...read, acts }
}
