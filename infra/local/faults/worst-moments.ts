/** What `--kill-leader` and `--freeze-leader` plan, in the middle of the tick's work. */
import type { Fault } from './fault.ts'

/** The worst moment for a leader to die: money has moved at the gateway, and nobody has been told. */
export function killLeader(tick: number, expectedCharges: number): readonly Fault[] {
  return [{ tick, at: 'charge', nth: half(expectedCharges), what: 'kill', when: 'after' }]
}

/**
 * The worst moment for a leader to sleep: it knows less than its successor will, and is about to write that down. It has
 * charged, but the gateway's reply was lost, so it writes `unknown`. Its successor finds the charge and writes `charged`;
 * then the sleeper's write comes through.
 */
export function freezeLeader(tick: number, expectedCharges: number): readonly Fault[] {
  return [
    { tick, at: 'charge', nth: half(expectedCharges), what: 'loseReply' },
    { tick, at: 'unknown', nth: 1, what: 'freeze', when: 'before' },
  ]
}

const half = (expectedCharges: number): number => Math.max(1, Math.floor(expectedCharges / 2))
