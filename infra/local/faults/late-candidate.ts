/** The last candidate of a tick, whose event is delivered late: Scheduler and Lambda deliver at least once and in no order. */
export interface LateCandidate {
  /** Settles when its event is to be delivered. */
  readonly isCalled: Promise<void>
  call(): void
  /** Settles when its first try has ended, or when there will be none. */
  readonly hadItsTurn: Promise<void>
  turnIsOver(): void
}

export function lateCandidate(): LateCandidate {
  const called = Promise.withResolvers<void>()
  const turn = Promise.withResolvers<void>()
  return { isCalled: called.promise, call: called.resolve, hadItsTurn: turn.promise, turnIsOver: turn.resolve }
}
