/** What the protocol promises, in the words of docs/protocol.md. Each check names the claim that it sees broken. */
// @ts-nocheck

export const CLAIMS = {
  S1: 'While clocks keep the budget, at most one candidate may believe that it leads.',
  S2: 'Tokens of a lease strictly increase, whatever is retried, doubled, delayed or (with care) deleted.',
  S3:
    "From a successor's first effect on a row (`fence`), or from its acquisition (`guard`), " +
    'no effect of the replaced leader lands, whatever clocks do.',
  S4: 'A completed tick never runs again.',
  S5: 'A completion with effects happens exactly once.',
  S6:
    'What a leader writes by `send` or `transact` is applied at most once; writes by `send`, one after another, ' +
    'in their order; none of these is refused for another, and none that was applied is reported as refused.',
  L1: 'After a crash a live candidate can lead within the lease + 2 B.',
  L2: 'No fault leaves a lease stuck beyond its expiry + 2 B.',
  L3: 'A tick whose leader crashed is completed by its retry, or is missed for the leader of a newer tick.',
  L4: 'No tick vanishes: a leader that completes a later one had it in `missed`, or closed it itself.',
  R1:
    'While a lease is reserved, only the one it is kept for acquires it, or the event that handed over; ' +
    'no reservation or transfer keeps it vacant for longer than it says + 2 B.',
  R2:
    'While an eligible and healthy candidate reaches the table, and there is no pause, the lease is led within ' +
    'the lease + 2 B + 5 head starts + a poll (up to 1.5 `pollMs`) + an open reservation.',
  R3: 'At most one turn of an `Election` runs.',
  R4: 'What is announced with a token was proclaimed under that token.',
} as const

export type Claim = keyof typeof CLAIMS

/** The parts of the proof that check a claim. */
export function checkedBy(claim: Claim): string {
  if (['R2', 'R3'].includes(claim)) return 'simulation'
  return `model, simulation${['S2', 'S3'].includes(claim) ? ', nemesis' : ''}`
}

export function isClaim(text: string): text is Claim {
  return text in CLAIMS
}
