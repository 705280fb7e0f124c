/** Plans faults before the run, from a seed alone: the same seed gives the same faults. */
// @ts-nocheck

import { mulberry32, pick, type Random, shuffled, wholeNumber } from '../../programs/random.ts'
import type { CallAction, CallFault, CallKind } from './fault.ts'

export interface PlanOptions {
  /** The tick whose leader is killed, or frozen. */
  readonly killLeader: number | undefined
  readonly freezeLeader: number | undefined
  readonly chaos: number | undefined
  readonly ticks: number | undefined
}

export type Plan = ReturnType<typeof planOf>

export function planOf({ killLeader, freezeLeader, chaos, ticks = MIN_CHAOS_TICKS }: PlanOptions) {
  const faults = chaos === undefined ? [] : chaosPlan(chaos, ticks)
  const faultsOf = (number: number, expectedCharges: number): readonly CallFault[] => [
    ...faults.filter(({ tick }) => tick === number),
    ...(number === killLeader ? killAtWorst(number, expectedCharges) : []),
    ...(number === freezeLeader ? freezeAtWorst(number, expectedCharges) : []),
  ]
  return { size: faults.length, faultsOf }
}

/** The leader is killed in the middle of the tick's work, when the gateway has charged and it has no reply yet. */
export function killAtWorst(tick: number, expectedCharges: number): readonly CallFault[] {
  return [{ tick, at: 'charge', nth: half(expectedCharges), do: 'killLeader', when: 'after' }]
}

/**
 * The leader is frozen when it knows less than its successor will, and is about to write that. It has charged, but the
 * gateway's reply was dropped, so it writes `unknown`. Its successor finds the charge and writes `charged`; then the
 * frozen leader's write arrives.
 */
export function freezeAtWorst(tick: number, expectedCharges: number): readonly CallFault[] {
  return [
    { tick, at: 'charge', nth: half(expectedCharges), do: 'dropReply' },
    { tick, at: 'unknown', nth: 1, do: 'freezeLeader', when: 'before' },
  ]
}

const half = (expectedCharges: number): number => Math.max(1, Math.floor(expectedCharges / 2))

/** Each tick has one of these: two ticks are enough for a kill and a freeze. `none` has small faults only. */
const WORST = ['freezeLeader', 'killLeader', 'none'] as const

const MOMENTS = ['before', 'after'] as const
const ROW_WRITES: readonly CallKind[] = ['claim', 'intent', 'answer', 'move']
const STEPS: readonly CallKind[] = [...ROW_WRITES, 'charge']
/** Each of the first ticks of generated customers has as many charges: so many calls of each step are certain. */
const CERTAIN_CALLS = 4
/** Small faults may also lie beyond them, at calls of a retry or of the end of the tick. */
const LIKELY_CALLS = 7
const MAX_SMALL_FAULTS = 3
const MAX_THROTTLED = 4

export const MIN_CHAOS_TICKS = 2

/** At least one leader killed, one frozen before a write that is then refused. Of faults at a call, the first hits. */
export function chaosPlan(seed: number, ticks: number): readonly CallFault[] {
  const random = mulberry32(seed)
  const worst = Array.from({ length: ticks }, (_, index) => WORST[index % WORST.length] ?? 'none')
  let provesTheFence = true
  return shuffled(random, worst).flatMap((kind, index) => {
    const tick = index + 1
    const small = Array.from({ length: wholeNumber(random, 1, MAX_SMALL_FAULTS) }, () => smallFault(random, tick))
    if (kind === 'none') return small
    // The first frozen leader's first write after the thaw comes too late.
    const isTooLate = kind === 'freezeLeader' && provesTheFence
    if (isTooLate) provesTheFence = false
    const position = {
      tick,
      at: pick(random, isTooLate ? ROW_WRITES : STEPS),
      nth: wholeNumber(random, 1, CERTAIN_CALLS),
    }
    const when = isTooLate ? 'before' : pick(random, MOMENTS)
    return [{ ...position, do: kind, when }, ...small]
  })
}

/** One that the SDK's own retries overcome, or for a charge those of Lambda. */
function smallFault(random: Random, tick: number): CallFault {
  const position = { tick, at: pick(random, [...STEPS, 'lease' as const]), nth: wholeNumber(random, 1, LIKELY_CALLS) }
  const atCharge: readonly CallAction[] = [{ do: 'dropReply' }, { do: 'refuse' }]
  const atWrite: readonly CallAction[] = [
    { do: 'dropReply' },
    { do: 'dropRequest' },
    { do: 'throttle', times: wholeNumber(random, 2, MAX_THROTTLED) },
  ]
  return { ...position, ...pick(random, position.at === 'charge' ? atCharge : atWrite) }
}
