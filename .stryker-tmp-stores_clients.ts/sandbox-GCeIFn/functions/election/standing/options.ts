// @ts-nocheck
import { InvalidOptionError } from '../errors.ts'
import { assertOptions, type LeaseOptions } from '../options.ts'
import { show } from '../show.ts'
import type { Preempt } from './decision.ts'

/** How servers stand for a lease. */
export interface ElectionOptions
  extends Pick<LeaseOptions, 'store' | 'lease' | 'maxClockSkewMs' | 'onEvent' | 'clock'> {
  /**
   * Name of this server, the same after each restart: it overwrites its own row among the candidates. Several processes
   * on one host need a name each. @default the host name
   */
  readonly candidate?: string
  /** Length of the lease in milliseconds, 100 to 3,600,000. @default the environment variable LEASE_MS, else 15,000 */
  readonly leaseMs?: number
  /** How often a candidate that waits reads the lease row, in milliseconds. @default 2,000 */
  readonly pollMs?: number
  /** How often each candidate writes its own row, in milliseconds. @default 30,000 */
  readonly refreshMs?: number
  /** By how much a candidate lets each better one go first when the lease falls free, in milliseconds. @default 500 */
  readonly headStartMs?: number
  /**
   * How well this candidate would lead: any number, such as its uptime, capacity or version. Of several candidates, the
   * highest goes first. Asked at each refresh. @default 0
   */
  readonly merit?: number | (() => number | Promise<number>)
  /** Whether this candidate may lead now. Asked at each refresh. @default always */
  readonly eligible?: () => boolean | Promise<boolean>
  /**
   * Asked before each renewal: a leader that is not healthy, or does not answer within a sixth of the lease, hands over
   * and does not stand again before it is healthy.
   */
  readonly healthy?: () => boolean | Promise<boolean>
  /** Lets a better candidate ask the leader to hand over to it. @default never */
  readonly preempt?: Preempt
  /** How long a leader may take to stop its work after it was asked to hand over, in milliseconds. @default 10,000 */
  readonly drainMs?: number
}

export type Times = Required<Pick<ElectionOptions, 'pollMs' | 'refreshMs' | 'headStartMs' | 'drainMs'>>

const DEFAULT_TIMES: Times = { pollMs: 2_000, refreshMs: 30_000, headStartMs: 500, drainMs: 10_000 }
const OWN = [...Object.keys(DEFAULT_TIMES), 'merit', 'eligible', 'healthy', 'preempt'] as const
const ELECTION = ['store', 'lease', 'candidate', 'leaseMs', 'maxClockSkewMs', 'onEvent', 'clock'] as const

/** @throws InvalidOptionError that names the option, what it must be, and what it is */
export function assertElectionOptions(options: ElectionOptions): Times {
  assertOptions(options, { alsoAllowed: OWN })
  const surplus = Object.keys(options).find((name) => ![...OWN, ...ELECTION].some((known) => known === name))
  if (surplus !== undefined) {
    throw new InvalidOptionError(
      `An Election has no option ${show(surplus)}: it stands without ticks. ` +
        `Options: ${[...ELECTION, ...OWN].join(', ')}.`,
    )
  }
  const { merit, eligible, healthy, preempt } = options
  for (const [name, value] of Object.entries({ eligible, healthy })) {
    if (value !== undefined && typeof value !== 'function') throw wrong(name, 'a function', value)
  }
  if (merit !== undefined && typeof merit !== 'function' && !Number.isFinite(merit)) {
    throw wrong('merit', 'a number, or a function that returns one', merit)
  }
  if (preempt !== undefined && !(preempt.margin >= 0 && preempt.minTenureMs >= 0)) {
    throw wrong('preempt', 'an object { margin, minTenureMs } of numbers of at least 0', preempt)
  }
  const times = {
    ...DEFAULT_TIMES,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  }
  for (const name of ['pollMs', 'refreshMs', 'headStartMs', 'drainMs'] as const) {
    const isWhole = Number.isSafeInteger(times[name]) && times[name] >= (name === 'headStartMs' ? 0 : 50)
    if (!isWhole || times[name] > 600_000)
      throw wrong(name, 'a whole number of milliseconds, 50 to 600,000', times[name])
  }
  const { pollMs, refreshMs, headStartMs, drainMs } = times
  return { pollMs, refreshMs, headStartMs, drainMs }
}

function wrong(name: string, expected: string, value: unknown): InvalidOptionError {
  return new InvalidOptionError(`The option ${name} of an Election must be ${expected}, but is ${show(value)}.`)
}
