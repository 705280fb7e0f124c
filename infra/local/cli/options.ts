/** The options of `npm start`: what its flags say and imply, checked before anything is started. */
import { leaseNameProblems } from '../../constructs/configuration.ts'
import { OptionError } from '../../programs/flags.ts'
import type { ScheduledFault } from '../faults/fault.ts'
import { MIN_CHAOS_TICKS } from '../faults/plan.ts'
import type { Protection } from '../faults/protections.ts'
import type { OwnTable } from './flag-values.ts'
import { CHAOS_TICKS, readStartFlags, type StartFlags, TICKS_WITHOUT } from './start-flags.ts'

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
  readonly without: readonly Protection[]
  /** How long the minutes between Lambda's retries, and the lease, last here: 0.1 is a tenth. */
  readonly timeScale: number
  /** What is done by hand, and before which tick. */
  readonly scenario: readonly ScheduledFault[]
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

/** In which tick a leader is hit where nobody said: the second, since the first begins cold. */
const HIT_AT = [2, 3, 1] as const

/** A task may take its time, and Lambda's limits are not what is looked at here. */
const OWN_TIMEOUT_MS = 300_000
/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
const SET_BY_OTHERS = /^(LEASE_(TABLE|NAME|MS)|NODE_OPTIONS|AWS_.*|LAMBDA_.*)$/

/** @throws OptionError */
export function parseOptions(argv: readonly string[]): Parsed {
  const read = readStartFlags(argv)
  return read.kind === 'help' ? read : { kind: 'start', options: completed(read.flags, read.acts) }
}

/** What the flags imply, and whether they make sense together. @throws OptionError */
function completed(flags: StartFlags, acts: readonly ScheduledFault[]): StartOptions {
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
): readonly ScheduledFault[] {
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

function refuseBeyond(scenario: readonly ScheduledFault[], ticks = Number.POSITIVE_INFINITY): void {
  const act = scenario.find(({ tick }) => tick > ticks)
  if (act === undefined) return
  const flag = act.do.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)
  throw new OptionError(`--${flag} ${act.tick} is beyond the last tick: --ticks is ${ticks}`)
}

/** @throws OptionError */
function ownFunctionOf(flags: StartFlags): OwnFunction | undefined {
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

function refuseContradictions(flags: StartFlags, ticks = Number.POSITIVE_INFINITY): void {
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
  if (chaos !== undefined && ticks < MIN_CHAOS_TICKS) {
    throw new OptionError(`--chaos needs --ticks ${MIN_CHAOS_TICKS} at least: one leader is killed, another frozen`)
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
