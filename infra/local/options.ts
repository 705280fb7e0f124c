/** The flags of `npm start`, checked before anything is started. */
import { Command, Option } from 'commander'
import { leaseNameProblems } from '../constructs/lease-name.ts'
import { MOST_CANDIDATES, MOST_TICKS, type PlannedAct } from './faults/acts.ts'
import { CONTROLS, type Control } from './faults/controls.ts'
import { LEAST_CHAOS_TICKS } from './faults/plan.ts'
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
  /** What is done by hand, and before which tick. */
  readonly scenario: readonly PlannedAct[]
  /** A JSON file with more of it. */
  readonly scenarioFile: string | undefined
  /** A function of the user's own, which runs instead of billing. */
  readonly own: OwnFunction | undefined
  readonly page: boolean
  /** Of the page; 0 for any that is free. */
  readonly port: number
}

export interface OwnFunction {
  /** As it was given. */
  readonly path: string
  readonly lease: string
  readonly environment: Readonly<Record<string, string>>
  readonly tables: readonly OwnTable[]
  /** Of one invocation. */
  readonly timeoutMs: number
}

export type Parsed =
  | { readonly kind: 'start'; readonly options: StartOptions }
  | { readonly kind: 'help'; readonly text: string }

const CHAOS_TICKS = 8
/** Enough to see what a missing protection does, and that it goes on. */
const TICKS_WITHOUT = 3
/** In which tick a leader is hit where nobody said: the second, since the first begins cold. */
const HIT_AT = [2, 3, 1] as const

/** A task may take its time, and Lambda's limits are not what is looked at here. */
const OWN_TIMEOUT_MS = 300_000
/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
const SET_BY_OTHERS = /^(LEASE_(TABLE|NAME|MS)|NODE_OPTIONS|AWS_.*|LAMBDA_.*)$/

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
export function parseOptions(argv: readonly string[]): Parsed {
  const tick = wholeNumber(1, MOST_TICKS)
  /** What the flags plan, in the order in which they were given: a candidate may be added and then cut off. */
  const acts: PlannedAct[] = []
  const plans = (read: (text: string) => PlannedAct) => (text: string) => void acts.push(read(text))
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
    .option('--candidates <number>', 'how many wake at every tick', wholeNumber(1, MOST_CANDIDATES), 4)
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
        .choices(CONTROLS)
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
  const read = readFlags<Flags>(command, argv, ' Flags go behind `--`: npm start -- --ticks 5')
  if (read.kind === 'help') return read
  return { kind: 'start', options: completed(read.flags, acts) }
}

/** What the flags imply, and whether they make sense together. @throws OptionError */
function completed(flags: Flags, acts: readonly PlannedAct[]): StartOptions {
  const { chaos, without, every = 2_000, customers, candidates, cold, json, timeScale, page, port = 0 } = flags
  const ticks = flags.ticks ?? (chaos !== undefined ? CHAOS_TICKS : without.length > 0 ? TICKS_WITHOUT : undefined)
  refuseContradictions(flags, ticks)
  const own = ownFunctionOf(flags)
  const hits = chaos === undefined
  const freezeLeader = flags.freezeLeader ?? impliedHit(hits && without.includes('fence'), flags.killLeader, ticks)
  const killLeader = flags.killLeader ?? impliedHit(hits && without.includes('key'), freezeLeader, ticks)
  // Billing has moments that are worst; of another function nothing is known but that it leads, and a freeze by hand lasts.
  const freezes = own !== undefined || flags.thawLeader !== undefined
  const kills = own !== undefined
  const scenario = [
    ...(kills && killLeader !== undefined ? [{ tick: killLeader, do: 'killLeader' } as const] : []),
    ...(freezes && freezeLeader !== undefined ? freezeUntil(freezeLeader, flags.thawLeader, ticks) : []),
    ...acts,
  ]
  refuseBeyond(scenario, ticks)
  const given = { everyMs: every, ticks, candidates, customers, cold, json, chaos, without, timeScale, page, port, own }
  return {
    ...given,
    killLeader: kills ? undefined : killLeader,
    freezeLeader: freezes ? undefined : freezeLeader,
    scenario,
    scenarioFile: flags.scenario,
  }
}

/** @throws OptionError where it would be thawed after the last tick, which is never */
function freezeUntil(
  tick: number,
  thawTick: number | undefined,
  ticks = Number.POSITIVE_INFINITY,
): readonly PlannedAct[] {
  if (thawTick === undefined && tick >= ticks) {
    throw new OptionError(
      `--freeze-leader ${tick} needs --ticks ${tick + 1} at least: it is thawed before the next tick`,
    )
  }
  return [
    { tick, do: 'freezeLeader' },
    { tick: thawTick ?? tick + 1, do: 'thawLeader' },
  ]
}

function refuseBeyond(scenario: readonly PlannedAct[], ticks = Number.POSITIVE_INFINITY): void {
  const act = scenario.find(({ tick }) => tick > ticks)
  if (act === undefined) return
  const flag = act.do.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)
  throw new OptionError(`--${flag} ${act.tick} is beyond the last tick: --ticks is ${ticks}`)
}

/** @throws OptionError */
function ownFunctionOf(flags: Flags): OwnFunction | undefined {
  const { function: path, lease, env, table, timeout = OWN_TIMEOUT_MS } = flags
  if (path === undefined) {
    const alone = [
      ...(lease === undefined ? [] : ['--lease']),
      ...(Object.keys(env).length === 0 ? [] : ['--env']),
      ...(table.length === 0 ? [] : ['--table']),
      ...(flags.timeout === undefined ? [] : ['--timeout']),
    ]
    if (alone[0] !== undefined) throw new OptionError(`${alone[0]} is for a function of your own: give --function too`)
    return undefined
  }
  if (lease === undefined) throw new OptionError('--function needs --lease, the name of the lease that it asks for')
  const ofBilling = [
    ...(flags.customers === undefined ? [] : ['--customers']),
    ...(flags.chaos === undefined ? [] : ['--chaos']),
    ...(flags.without.length === 0 ? [] : ['--without']),
  ]
  if (ofBilling[0] !== undefined) throw new OptionError(`${ofBilling[0]} is for billing, not for --function`)
  const [problem] = leaseNameProblems(lease)
  if (problem !== undefined) throw new OptionError(`--lease: ${problem}`)
  const fixed = Object.keys(env).find((name) => SET_BY_OTHERS.test(name))
  if (fixed !== undefined) throw new OptionError(`--env ${fixed}: this one is set by ElectedSchedule, or by Lambda`)
  return { path, lease, environment: env, tables: table, timeoutMs: timeout }
}

function refuseContradictions(flags: Flags, ticks = Number.POSITIVE_INFINITY): void {
  const { killLeader, freezeLeader, thawLeader, chaos, without, candidates } = flags
  if (thawLeader !== undefined && (freezeLeader === undefined || thawLeader <= freezeLeader)) {
    throw new OptionError(`--thaw-leader ${thawLeader} needs --freeze-leader with an earlier tick`)
  }
  if (flags.port !== undefined && !flags.page) {
    throw new OptionError('--port and --no-page: the port is that of the page')
  }
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
