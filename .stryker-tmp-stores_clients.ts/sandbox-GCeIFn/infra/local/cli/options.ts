/** The options of `npm start` and of `tenure dev`: what the flags say and imply, checked before anything is started. */
// @ts-nocheck

import { parse } from 'node:path'
import { isLeaseName, LEASE_NAME_RULE } from '../../../functions/election/options.ts'
import { OptionError } from '../../programs/flags.ts'
import type { ScheduledFault } from '../faults/fault.ts'
import { MIN_CHAOS_TICKS } from '../faults/plan.ts'
import type { OwnFunctionOptions } from '../own-function/own-function.ts'
import type { RunOptions } from '../run/options.ts'
import {
  CHAOS_TICKS,
  DEFAULT_SERVERS,
  type DevFlags,
  type RunFlags,
  readDevFlags,
  readStartFlags,
  TICKS_WITHOUT,
} from './flags.ts'

export interface CommandOptions extends RunOptions {
  readonly json: boolean
  readonly scenarioFile: string | undefined
}

/** With the CSV file of the customers, or how many to generate, all due at the first tick. */
export type StartOptions = Exclude<ReturnType<typeof parseOptions>, string>
export type DevOptions = Exclude<ReturnType<typeof parseDevOptions>, string>
/** A string is the help that was asked for. */
export type Parsed<Options> = Options | string

/** The default tick of an implied fault: the second, because the first one starts cold. */
const IMPLIED_TICKS = [2, 3, 1] as const
/** Long: the limits of Lambda are not what this run is about. */
const OWN_TIMEOUT_MS = 300_000
/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
const RESERVED = /^(LEASE_(TABLE|NAME|MS)|NODE_OPTIONS|AWS_.*|LAMBDA_.*)$/

/** The options of `npm start`. @throws OptionError */
export function parseOptions(argv: readonly string[]) {
  const read = readStartFlags(argv)
  if (read.kind === 'help') return read.text
  const { thawLeader, customers, standing, for: forMs } = read.flags
  if (forMs !== undefined && standing === undefined) {
    throw new OptionError('--for needs --standing: a run of ticks ends after --ticks')
  }
  const servers =
    standing === undefined ? undefined : { servers: standing === true ? DEFAULT_SERVERS : standing, forMs }
  return { ...optionsOf(read.flags, thawLeader !== undefined), customers, standing: servers }
}

/** The options of `tenure dev`. @throws OptionError */
export function parseDevOptions(argv: readonly string[]) {
  const read = readDevFlags(argv)
  if (read.kind === 'help') return read.text
  const options = optionsOf({ ...read.flags, without: [] }, true)
  const { killLeader: tick } = options
  const scenario = [...(tick === undefined ? [] : [{ tick, do: 'killLeader' } as const]), ...options.scenario]
  const own = ownFunctionOf(read.flags, read.args[0])
  return { ...options, killLeader: undefined, scenario, own }
}

/**
 * @param freezesByHand billing has known worst moments. The leader of another function is killed and frozen like by
 *   hand; so is one that stays frozen until a later tick
 */
function optionsOf(flags: RunFlags, freezesByHand: boolean): CommandOptions {
  const {
    chaos,
    every: everyMs = 2_000,
    timeout: timeoutMs,
    candidates,
    cold,
    json,
    timeScale,
    page,
    port = 0,
    scenario,
  } = flags
  const without = [...new Set(flags.without)]
  const ticks = flags.ticks ?? (chaos !== undefined ? CHAOS_TICKS : without.length > 0 ? TICKS_WITHOUT : undefined)
  refuseContradictions(flags, ticks)
  /** What a missing protection does is seen only with its fault. */
  const implied = (protection: 'fence' | 'key', leader: string, taken: number | undefined) => {
    if (chaos !== undefined || !without.includes(protection)) return undefined
    const found = IMPLIED_TICKS.find((tick) => tick <= (ticks ?? 1) && tick !== taken)
    if (found !== undefined) return found
    throw new OptionError(
      `--without ${protection} needs a tick of its own for a ${leader} leader: give --ticks 2 or more`,
    )
  }
  const freezeLeader = flags.freezeLeader ?? implied('fence', 'frozen', flags.killLeader)
  const killLeader = flags.killLeader ?? implied('key', 'killed', freezeLeader)
  const frozen = freezesByHand && freezeLeader !== undefined ? freezeUntil(freezeLeader, flags.thawLeader, ticks) : []
  const scheduled = [...frozen, ...flags.scheduled]
  const late = scheduled.find(({ tick }) => tick > (ticks ?? MANY))
  if (late !== undefined) throw new OptionError(`--${flagOf(late)} ${late.tick} ${BEYOND} ${ticks}`)
  return {
    ...{ ticks, candidates, cold, json, chaos, without, timeScale, page, port, everyMs, timeoutMs, killLeader },
    freezeLeader: freezesByHand ? undefined : freezeLeader,
    scenario: scheduled,
    scenarioFile: scenario,
  }
}

const MANY = Number.POSITIVE_INFINITY

const flagOf = (fault: ScheduledFault) => fault.do.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)

function freezeUntil(tick: number, thawTick: number | undefined, ticks = MANY): ScheduledFault[] {
  if (thawTick === undefined && tick >= ticks) {
    throw new OptionError(`--freeze-leader ${tick} needs at least --ticks ${tick + 1}: the next tick thaws the leader`)
  }
  return [
    { tick, do: 'freezeLeader' },
    { tick: thawTick ?? tick + 1, do: 'thawLeader' },
  ]
}

function ownFunctionOf({ lease: name, env, table, timeout = OWN_TIMEOUT_MS }: DevFlags, path = ''): OwnFunctionOptions {
  const lease = name ?? parse(path).name
  if (!isLeaseName(lease)) {
    throw new OptionError(`--lease: the name ${JSON.stringify(lease)} is not allowed; use ${LEASE_NAME_RULE}`)
  }
  const reserved = Object.keys(env).find((name) => RESERVED.test(name))
  if (reserved !== undefined) throw new OptionError(`--env ${reserved}: ElectedSchedule or Lambda sets this variable`)
  return { path, lease, env, table, timeout }
}

function refuseContradictions(flags: RunFlags, ticks = MANY): void {
  const { killLeader: kill, freezeLeader: freeze, thawLeader: thaw, chaos, without, candidates, port, page } = flags
  const [noLease, noFence] = [without.includes('lease'), without.includes('fence')]
  const isChaos = chaos !== undefined
  const rivals = { '--freeze-leader': freeze !== undefined, '--chaos': isChaos, '--without': noFence || noLease }
  const [needsRival] = Object.entries(rivals).find(([, isGiven]) => isGiven) ?? []
  const isThawedTooEarly = thaw !== undefined && thaw <= (freeze ?? MANY)
  const beyond = (flag: string, tick = 0) => tick > ticks && `--${flag} ${tick} ${BEYOND} ${ticks}`
  const withChaos = (flag: string, tick?: number) =>
    isChaos && tick !== undefined && `--${flag} and --chaos: chaos chooses its own ticks and leaders`
  const refusal =
    (isThawedTooEarly && `--thaw-leader ${thaw} needs --freeze-leader with an earlier tick`) ||
    (port !== undefined && !page && '--port and --no-page: the port is that of the page') ||
    beyond('kill-leader', kill) ||
    beyond('freeze-leader', freeze) ||
    withChaos('kill-leader', kill) ||
    withChaos('freeze-leader', freeze) ||
    (kill !== undefined && kill === freeze && `--kill-leader and --freeze-leader: give them different ticks`) ||
    (isChaos && ticks < MIN_CHAOS_TICKS && `--chaos needs at least --ticks ${MIN_CHAOS_TICKS}: ${TWO_LEADERS}`) ||
    (noLease && (noFence || freeze !== undefined) && OWN_FENCES) ||
    (candidates === 1 && needsRival && `${needsRival} needs at least --candidates 2: a single one has no rival`)
  if (refusal) throw new OptionError(refusal)
}

const BEYOND = 'is beyond the last tick: --ticks is'
const TWO_LEADERS = 'one leader is killed, another frozen'
const OWN_FENCES =
  'Without the lease each candidate has its own lease and its own fence: ' +
  'use --without fence alone to see what the fence is for'
