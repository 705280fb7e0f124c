/** The last candidate of a tick, whose event is delivered late: Scheduler and Lambda deliver at least once and in no order. */
export interface LateCandidate {
  /** Settles when its event is to be delivered. */
  readonly isCalled: Promise<void>
  call(): void
  /** Settles when it is done, retries included: faults may hit its first try too. */
  readonly hadItsTurn: Promise<void>
  turnIsOver(): void
}

export function lateCandidate(): LateCandidate {
  const called = Promise.withResolvers<void>()
  const turn = Promise.withResolvers<void>()
  return { isCalled: called.promise, call: called.resolve, hadItsTurn: turn.promise, turnIsOver: turn.resolve }
}
