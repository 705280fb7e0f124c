/** The worst moment for a leader to die: money has moved at the gateway, and nobody has been told. */

export interface LeaderKiller {
  /** Tells which tick begins, and how many charges it may bring. */
  tickStarts(number: number, expectedCharges: number): void
  /** To be awaited by the gateway after it has charged and before it answers. */
  beforeReply(): Promise<void>
  killed(): boolean
}

/**
 * Kills the leader of tick `victim` once about half of the tick's charges have reached the gateway.
 *
 * @param killLeader kills whoever holds the lease now; false where nobody does
 */
export function leaderKiller(victim: number | undefined, killLeader: () => Promise<boolean>): LeaderKiller {
  let chargesToGo = Number.POSITIVE_INFINITY
  let killed = false
  return {
    tickStarts: (number, expectedCharges) => {
      chargesToGo = number === victim ? Math.max(1, Math.floor(expectedCharges / 2)) : Number.POSITIVE_INFINITY
    },
    beforeReply: async () => {
      chargesToGo -= 1
      if (chargesToGo > 0 || killed) return
      killed = true // before the first await, for charges come side by side
      killed = await killLeader()
    },
    killed: () => killed,
  }
}
