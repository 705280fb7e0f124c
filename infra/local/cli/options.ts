/** The options of `npm start` and of `tenure dev`: what the flags say and imply, checked before anything is started. */
import { parse } from 'node:path'
import { isLeaseName, LEASE_NAME_RULE } from '../../../functions/election/options.ts'
import { OptionError } from '../../programs/flags.ts'
import type { ScheduledFault } from '../faults/fault.ts'
import { MIN_CHAOS_TICKS } from '../faults/plan.ts'
import { PROTECTIONS } from '../faults/protections.ts'
import type { RunOptions } from '../run/task.ts'
import {
  CHAOS_TICKS,
  type DevFlags,
  type OwnTable,
  readDevFlags,
  readStartFlags,
  type StartFlags,
  TICKS_WITHOUT,
} from './flags.ts'

/** The options of both commands. */
export interface CommandOptions extends RunOptions {
  readonly json: boolean
  readonly scenarioFile: string | undefined
}

export interface StartOptions extends CommandOptions {
  /** A CSV file, or how many to generate, all due at the first tick. @default the generated customers */
  readonly customers: string | number | undefined
}

export interface DevOptions extends CommandOptions {
  readonly own: OwnFunctionOptions
}

export interface OwnFunctionOptions {
  readonly path: string
  readonly lease: string
  readonly environment: Readonly<Record<string, string>>
  readonly tables: readonly OwnTable[]
  readonly timeoutMs: number
}

export type Parsed<Options> =
  | { readonly kind: 'start'; readonly options: Options }
  | { readonly kind: 'help'; readonly text: string }

/** The default tick of an implied fault: the second, because the first one starts cold. */
const IMPLIED_TICKS = [2, 3, 1] as const
/** Long: the limits of Lambda are not what this run is about. */
const OWN_TIMEOUT_MS = 300_000
/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
const RESERVED = /^(LEASE_(TABLE|NAME|MS)|NODE_OPTIONS|AWS_.*|LAMBDA_.*)$/

/** The options of `npm start`. @throws OptionError */
export function parseOptions(argv: readonly string[]): Parsed<StartOptions> {
  const read = readStartFlags(argv)
  if (read.kind === 'help') return read
  const { flags } = read
  return { kind: 'start', options: { ...optionsOf(flags, flags.thawLeader !== undefined), customers: flags.customers } }
}

/** The options of `tenure dev`. @throws OptionError */
export function parseDevOptions(argv: readonly string[]): Parsed<DevOptions> {
  const read = readDevFlags(argv)
  if (read.kind === 'help') return read
  const { flags, args } = read
  const options = optionsOf({ ...flags, chaos: undefined, without: [] }, true)
  const { killLeader } = options
  const kill = killLeader === undefined ? [] : [{ tick: killLeader, do: 'killLeader' } as const]
  const scenario = [...kill, ...options.scenario]
  return { kind: 'start', options: { ...options, killLeader: undefined, scenario, own: ownFunctionOf(flags, args[0]) } }
}

/**
 * @param freezesByHand billing has known worst moments. The leader of another function is killed and frozen like by
 *   hand; so is one that stays frozen until a later tick
 */
function optionsOf(flags: Omit<StartFlags, 'customers'>, freezesByHand: boolean): CommandOptions {
  const { chaos, every = 2_000, candidates, cold, json, timeScale, page, port = 0 } = flags
  const without = [...new Set(flags.without)]
  const ticks = flags.ticks ?? (chaos !== undefined ? CHAOS_TICKS : without.length > 0 ? TICKS_WITHOUT : undefined)
  refuseContradictions(flags, ticks)
  const implied = (protection: 'fence' | 'key', taken: number | undefined) =>
    chaos === undefined && without.includes(protection)
      ? IMPLIED_TICKS.find((tick) => tick <= (ticks ?? 1) && tick !== taken)
      : undefined
  const freezeLeader = flags.freezeLeader ?? implied('fence', flags.killLeader)
  const killLeader = flags.killLeader ?? implied('key', freezeLeader)
  refuseWithoutFault({ chaos, without, freezeLeader, killLeader })
  const scenario: readonly ScheduledFault[] = [
    ...(freezesByHand && freezeLeader !== undefined ? freezeUntil(freezeLeader, flags.thawLeader, ticks) : []),
    ...flags.scheduled,
  ]
  refuseBeyond(scenario, ticks)
  const same = { ticks, candidates, cold, json, chaos, without, timeScale, page, port, scenario, killLeader }
  return {
    ...same,
    everyMs: every,
    freezeLeader: freezesByHand ? undefined : freezeLeader,
    scenarioFile: flags.scenario,
  }
}

/** What a missing protection does is seen only with its fault. */
function refuseWithoutFault(run: Pick<CommandOptions, 'chaos' | 'without' | 'freezeLeader' | 'killLeader'>): void {
  if (run.chaos !== undefined) return
  const [more, taken] = [' of its own: give at least --ticks 2', 'the only tick is taken']
  if (run.without.includes('fence') && run.freezeLeader === undefined) {
    throw new OptionError(`--without fence needs a tick for a frozen leader${more}; ${taken} by --kill-leader`)
  }
  if (run.without.includes('key') && run.killLeader === undefined) {
    throw new OptionError(`--without key needs a tick for a killed leader${more}; ${taken} by --freeze-leader`)
  }
}

/** Thawed before the next tick by default. */
function freezeUntil(tick: number, thawTick: number | undefined, ticks = Number.POSITIVE_INFINITY): ScheduledFault[] {
  if (thawTick === undefined && tick >= ticks) {
    throw new OptionError(`--freeze-leader ${tick} needs at least --ticks ${tick + 1}: the next tick thaws the leader`)
  }
  return [
    { tick, do: 'freezeLeader' },
    { tick: thawTick ?? tick + 1, do: 'thawLeader' },
  ]
}

function refuseBeyond(scenario: readonly ScheduledFault[], ticks = Number.POSITIVE_INFINITY): void {
  const fault = scenario.find(({ tick }) => tick > ticks)
  if (fault === undefined) return
  const flag = fault.do.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)
  throw new OptionError(`--${flag} ${fault.tick} is beyond the last tick: --ticks is ${ticks}`)
}

function ownFunctionOf({ lease: name, env, table, timeout }: DevFlags, path = ''): OwnFunctionOptions {
  const lease = name ?? parse(path).name
  if (!isLeaseName(lease)) {
    throw new OptionError(`--lease: the name ${JSON.stringify(lease)} is not allowed; use ${LEASE_NAME_RULE}`)
  }
  const reserved = Object.keys(env).find((name) => RESERVED.test(name))
  if (reserved !== undefined) throw new OptionError(`--env ${reserved}: ElectedSchedule or Lambda sets this variable`)
  return { path, lease, environment: env, tables: table, timeoutMs: timeout ?? OWN_TIMEOUT_MS }
}

function refuseContradictions(flags: Omit<StartFlags, 'customers'>, ticks = Number.POSITIVE_INFINITY): void {
  const { killLeader, freezeLeader, thawLeader, chaos, without, candidates } = flags
  const [noLease, noFence, noKey] = PROTECTIONS.map((protection) => without.includes(protection))
  const isChaos = chaos !== undefined
  const refuse = (message: string): never => {
    throw new OptionError(message)
  }
  if (thawLeader !== undefined && (freezeLeader === undefined || thawLeader <= freezeLeader)) {
    refuse(`--thaw-leader ${thawLeader} needs --freeze-leader with an earlier tick`)
  }
  if (flags.port !== undefined && !flags.page) refuse('--port and --no-page: the port is that of the page')
  for (const [flag, tick] of Object.entries({ 'kill-leader': killLeader, 'freeze-leader': freezeLeader })) {
    if (tick === undefined) continue
    if (tick > ticks) refuse(`--${flag} ${tick} is beyond the last tick: --ticks is ${ticks}`)
    if (isChaos) refuse(`--${flag} and --chaos: chaos chooses its own ticks and leaders`)
  }
  if (killLeader !== undefined && killLeader === freezeLeader) {
    refuse(`--kill-leader and --freeze-leader: give them different ticks, not ${killLeader} to both`)
  }
  if (isChaos && ticks < MIN_CHAOS_TICKS) {
    refuse(`--chaos needs at least --ticks ${MIN_CHAOS_TICKS}: one leader is killed, another frozen`)
  }
  if (noFence && noKey && !isChaos && ticks < 2) {
    refuse('--without fence and --without key need at least --ticks 2: each needs a leader of its own')
  }
  if (noLease && (noFence || freezeLeader !== undefined)) {
    refuse(
      'Without the lease each candidate has its own lease and its own fence: ' +
        'use --without fence alone to see what the fence is for',
    )
  }
  const rivals = { '--freeze-leader': freezeLeader !== undefined, '--chaos': isChaos, '--without': noFence || noLease }
  const [needsRival] = Object.entries(rivals).find(([, isGiven]) => isGiven) ?? []
  if (candidates === 1 && needsRival !== undefined) {
    refuse(`${needsRival} needs at least --candidates 2: a single one has no rival`)
  }
}
