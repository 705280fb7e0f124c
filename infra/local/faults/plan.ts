/** Chaos as a plan that is made before the run, from a seed alone, so that the same seed gives the same faults. */
import { mulberry32, pick, type Random, shuffled, wholeNumber } from '../../programs/random.ts'
import type { CallKind } from './calls.ts'
import { type Deed, type Fault, type Position, strikesAt } from './fault.ts'

/**
 * Each tick has one of these, in turn and then shuffled, so that two ticks are enough for a kill and a freeze. `writes` has
 * nothing but the small faults that every tick has.
 */
const WORST = ['freeze', 'kill', 'gateway', 'writes'] as const

const MOMENTS = ['before', 'after'] as const
const WRITES_ON_ROWS: readonly CallKind[] = ['claim', 'intent', 'answer', 'move']
const WRITES: readonly CallKind[] = [...WRITES_ON_ROWS, 'lease']
const STEPS: readonly CallKind[] = [...WRITES_ON_ROWS, 'charge']
/** An hour of the generated customers has four charges at least: of each step, so many calls are sure to come. */
const SURE_CALLS = 4
/** Small faults may also lie where a retry, or the end of the tick, gets to. */
const LIKELY_CALLS = 7
const MOST_SMALL_FAULTS = 3
const MOST_THROTTLED = 4

export const LEAST_CHAOS_TICKS = 2

/**
 * @param seed any integer
 * @param ticks {@link LEAST_CHAOS_TICKS} at least
 * @returns at most one fault at a call; at least one leader killed, and one frozen before a write that its successor's
 *   token then refuses
 */
export function chaosPlan(seed: number, ticks: number): readonly Fault[] {
  const random = mulberry32(seed)
  const worst = Array.from({ length: ticks }, (_, index) => WORST[index % WORST.length] ?? 'writes')
  let isFirstFreeze = true
  return shuffled(random, worst).flatMap((kind, index) => {
    const tick = index + 1
    const small = Array.from({ length: wholeNumber(random, 1, MOST_SMALL_FAULTS) }, () => smallFault(random, tick))
    if (kind === 'writes') return apart(small)
    if (kind === 'gateway') return apart([...gatewayFaults(random, tick), ...small])
    const provesTheFence = kind === 'freeze' && isFirstFreeze
    if (kind === 'freeze') isFirstFreeze = false
    return apart([hitTheLeader(random, tick, kind, provesTheFence), ...small])
  })
}

/** @param provesTheFence at a moment from which the leader wakes with a write that comes too late */
function hitTheLeader(random: Random, tick: number, what: 'kill' | 'freeze', provesTheFence: boolean): Fault {
  const position = { tick, at: pick(random, provesTheFence ? WRITES_ON_ROWS : STEPS), nth: sureNth(random) }
  return { ...position, what, when: provesTheFence ? 'before' : pick(random, MOMENTS) }
}

/** One or two charges that get no answer, or none in time. */
function gatewayFaults(random: Random, tick: number): Fault[] {
  const troubles: readonly Deed[] = shuffled(random, [{ what: 'loseReply' }, { what: 'refuse' }, { what: 'delay' }])
  const position = (): Position => ({ tick, at: 'charge', nth: sureNth(random) })
  return troubles.slice(0, wholeNumber(random, 1, 2)).map((trouble) => ({ ...position(), ...trouble }))
}

/** What the SDK's own retries should get over. */
function smallFault(random: Random, tick: number): Fault {
  const position: Position = { tick, at: pick(random, WRITES), nth: wholeNumber(random, 1, LIKELY_CALLS) }
  const deeds: readonly Deed[] = [
    { what: 'loseReply' },
    { what: 'drop' },
    { what: 'throttle', times: wholeNumber(random, 2, MOST_THROTTLED) },
  ]
  return { ...position, ...pick(random, deeds) }
}

const sureNth = (random: Random) => wholeNumber(random, 1, SURE_CALLS)

/** Leaves out those that would strike at the same call as one before them: the worst come first. */
function apart(faults: readonly Fault[]): Fault[] {
  const kept: Fault[] = []
  for (const fault of faults) {
    if (!kept.some((other) => overlap(fault, other))) kept.push(fault)
  }
  return kept
}

const overlap = (a: Fault, b: Fault) => strikesAt(a, b.at, b.nth) || strikesAt(b, a.at, a.nth)
