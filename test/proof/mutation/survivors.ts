export interface Explanation {
  /** Why no test kills these mutants. */
  readonly reason: string
  /** Their names, as in mutants.ts; a name that survives twice is listed twice. */
  readonly mutants: readonly string[]
}

const INSTANT = String.raw`(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})`

export const EXPLANATIONS: readonly Explanation[] = [
  {
    reason: 'The lease is checked once more when it is the turn of the request.',
    mutants: ['lease-handle.ts: this.assertHeld() → ;', 'lease-handle.ts: this.#assertLeading() → ;'],
  },
  {
    reason: 'The SDK does not define where a layer without a known place goes; today it is within the retries too.',
    mutants: [`stores/wire.ts: 'deserialize' → ""`, `stores/wire.ts: 'low' → ""`],
  },
  {
    reason: 'The name only shows in a list of the middlewares of a command.',
    mutants: [`stores/wire.ts: 'tenureObserveWire' → ""`],
  },
  {
    reason: 'The marshaller drops an attribute that is undefined, and the rules compare with undefined.',
    mutants: [
      'acquire.ts: settings.eventId === undefined → false',
      'acquire.ts: settings.tick === undefined → false',
      'lease-handle.ts: this.tick === undefined → false',
      'middleware.ts: tick === undefined → false',
      'stores/expressions.ts: eventId === undefined → false',
      'stores/expressions.ts: tick === undefined → false',
      'stores/expressions.ts: errorName === undefined → false',
      'stores/expressions.ts: request.tick === undefined → false',
    ],
  },
  {
    reason: 'It narrows a type; the code before made sure of it.',
    mutants: ["options.ts: typeof name === 'string' → true", 'rules.ts: holder !== undefined → true'],
  },
  {
    reason: 'Undefined and null spread to nothing, as {} does.',
    mutants: [
      "stores/wire.ts: typeof response === 'object' → true",
      "stores/wire.ts: typeof headers === 'object' → true",
      'tick.ts: event !== null → true',
    ],
  },
  {
    reason: 'A comparison with undefined is false: the condition beside it already fails.',
    mutants: ['lease-handle.ts: tick !== undefined → true', 'rules.ts: record.completedTick !== undefined → true'],
  },
  {
    reason: 'A row that has completed a tick is not acquired without one (A2): there is always a tick here.',
    mutants: ['lease-handle.ts: tick !== undefined → true'],
  },
  {
    reason: 'The caller has already handled this kind; the case makes the switch complete.',
    mutants: [`acquire.ts: 'won' → ""`],
  },
  {
    reason: 'If one is exactly 0, the other is below 0, unless the wall clock was set back during the request.',
    mutants: ['clock.ts: aheadAtLeast > 0 → aheadAtLeast >= 0'],
  },
  {
    reason: 'Middy does not call `after` if `before` returned early.',
    mutants: ['middleware.ts: lease === undefined → false'],
  },
  {
    reason:
      'The error thrown next makes middy call `onError`, which abandons the lease again, unless a middleware ' +
      'behind this one answers first: see *What remains* in docs/protocol.md.',
    mutants: ['middleware.ts: lease.abandon() → ;'],
  },
  {
    reason: 'Other errors have no list of reasons, which is read as an empty one.',
    mutants: [
      'stores/dynamodb.ts: error instanceof TransactionCanceledException → true',
      'stores/dynamodb.ts: !(error instanceof TransactionCanceledException) → false',
    ],
  },
  {
    reason: 'A text in place of a reason has no code either.',
    mutants: ['stores/dynamodb.ts: [] → ["Stryker was here"]', 'stores/dynamodb.ts: [] → ["Stryker was here"]'],
  },
  {
    reason: 'A text in place of the match has no date either, and without a date the text is no instant.',
    mutants: ['tick.ts: [] → ["Stryker was here"]', 'tick.ts: date === undefined → false'],
  },
  {
    reason:
      '`Date.parse` refuses characters behind the instant; in front of it, it accepts a sign and a longer year, ' +
      'which is an instant too.',
    mutants: [`tick.ts: /^${INSTANT}$/ → /${INSTANT}$/`, `tick.ts: /^${INSTANT}$/ → /^${INSTANT}/`],
  },
  { reason: 'Neither text is a canonical tick.', mutants: [`stores/row.ts: '' → "Stryker was here!"`] },
  {
    reason: 'It bounds the time that a very long name takes; no test measures time.',
    mutants: ['options.ts: name.slice(0, 60) → name', 'options.ts: name.slice(0, 60) → name'],
  },
]
