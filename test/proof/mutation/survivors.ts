const INSTANT = String.raw`(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})`

/** Why no test kills which mutants. Names are as in mutants.ts; one that survives twice is listed twice. */
export const SURVIVORS: Readonly<Record<string, readonly string[]>> = {
  'The lease is checked once more when it is the turn of the request.': ['lease-handle.ts: this.assertHeld() → ;'],
  'The SDK does not define where a layer without a known place goes; today it is within the retries too.': [
    `stores/wire.ts: 'deserialize' → ""`,
    `stores/wire.ts: 'low' → ""`,
  ],
  'The name only shows in a list of the middlewares of a command.': [`stores/wire.ts: 'tenureObserveWire' → ""`],
  'The marshaller drops an attribute that is undefined, and the rules compare with undefined.': [
    'acquire.ts: settings.eventId === undefined → false',
    'acquire.ts: settings.tick === undefined → false',
    'acquire.ts: settings.continuation === undefined → false',
    'ends.ts: record.tick === undefined → false',
    'middleware.ts: tick === undefined → false',
  ],
  'It narrows a type; the code before made sure of it.': [
    'clock-skew.ts: record === undefined → false',
    `cron-fields.ts: '' → "Stryker was here!"`,
    'defaults.ts: store === undefined || lease === undefined → false',
    'defaults.ts: store === undefined || lease === undefined → store === undefined && lease === undefined',
    'defaults.ts: store === undefined → false',
    'defaults.ts: lease === undefined → false',
    'ends.ts: continueBy?.(continuation) → continueBy(continuation)',
    'fenced-writes.ts: item !== undefined → true',
    'lease-handle.ts: schedule?.isRate → schedule.isRate',
    "options.ts: typeof name === 'string' → true",
    'rules.ts: holder !== undefined → true',
  ],
  'Undefined and null spread to nothing, as {} does.': [
    "stores/wire.ts: typeof response === 'object' → true",
    "stores/wire.ts: typeof headers === 'object' → true",
    'tick.ts: event !== null → true',
  ],
  'A comparison with undefined is false: the condition beside it already fails.': [
    'checkpoint.ts: savedVersion !== undefined → true',
    'cron-times.ts: timeMs !== undefined → true',
    'lease-handle.ts: tick !== undefined → true',
    'rules.ts: record.completedTick !== undefined → true',
  ],
  'The case makes the switch complete.': [
    "metrics.ts: case 'elected': return undefined → case 'elected':",
    `metrics.ts: 'elected' → ""`,
    `not-won.ts: 'won' → ""`,
  ],
  'The same version is read before.': ['checkpoint.ts: savedVersion > version → savedVersion >= version'],
  'What is read wrongly is not the same request when it is made again.': [
    'stores/describe.ts: fencingToken === undefined || step === undefined → fencingToken === undefined && step === undefined',
    'stores/describe.ts: fencingToken === undefined → false',
    'stores/describe.ts: step === undefined → false',
    'stores/describe.ts: checkpoint !== undefined && reservedFor !== undefined && reservedUntilMs !== undefined → checkpoint !== undefined && reservedFor !== undefined || reservedUntilMs !== undefined',
    'stores/describe.ts: checkpoint !== undefined && reservedFor !== undefined → true',
    'stores/describe.ts: checkpoint !== undefined && reservedFor !== undefined → checkpoint !== undefined || reservedFor !== undefined',
    'stores/describe.ts: checkpoint !== undefined → true',
    'stores/describe.ts: reservedFor !== undefined → true',
    'stores/describe.ts: reservedUntilMs !== undefined → true',
    'stores/describe.ts: expiresAtMs === undefined → false',
  ],
  'It only saves the time of an error, which is caught.': ['stores/describe.ts: value === undefined → false'],
  'It only frees memory.': [
    'fenced-writes.ts: { if (turns.isFree) table.rows.delete(key) } → {}',
    'fenced-writes.ts: turns.isFree → false',
    'fenced-writes.ts: table.rows.delete(key) → ;',
  ],
  'To the millisecond: at the exact time of a limit, both answers are right.': [
    'acquire.ts: pauseMs <= longestMs → pauseMs < longestMs',
    'ends.ts: remainingMs() - answerMs <= pauseMs → remainingMs() - answerMs < pauseMs',
  ],
  'Of equal numbers, or of 0 and 0, either is taken.': [
    'clock.ts: ms > 0 → ms >= 0',
    'deadline.ts: passedMs > 0 → passedMs >= 0',
    'deadline.ts: wallMs < presentMs → wallMs <= presentMs',
    'deadline.ts: remainingMs > 0 → remainingMs >= 0',
    'invocation.ts: byContextMs <= byClockMs → byContextMs < byClockMs',
    'invocation.ts: leftMs > 0 → leftMs >= 0',
  ],
  'It decides how often an end is tried shortly before the deadline.': ['ends.ts: leftMs / 4 → leftMs * 4'],
  'The name of the program shows only in the message of `check`, which is not called here.': [
    `defaults.ts: 'this candidate' → ""`,
  ],
  'A function that ends returns undefined.': [
    'cron-times.ts: { return undefined } → {}',
    'json.ts: { return undefined } → {}',
    'stores/describe.ts: { return undefined } → {}',
  ],
  'A later local time never has the same instant.': ['cron-times.ts: timeMs > afterMs → timeMs >= afterMs'],
  'It only saves the time of the first use of Intl.': [
    "cron-times.ts: timeZone === 'UTC' || timeZone === 'Etc/UTC' → false",
    "cron-times.ts: timeZone === 'UTC' || timeZone === 'Etc/UTC' → timeZone === 'UTC' && timeZone === 'Etc/UTC'",
    "cron-times.ts: timeZone === 'UTC' → false",
    "cron-times.ts: timeZone === 'Etc/UTC' → false",
  ],
  'A row without a token has no step of it either.': ['fencing.ts: seen.fencingToken === undefined → false'],
  'A lease that has ended was asked to end before, or is lost.': ['leadership.ts: this.#ended !== undefined → false'],
  'It concerns the field `06L` alone: AWS does not say whether such a number may have a zero.': [
    String.raw`cron-fields.ts: /^(?:\?|(\d+|[A-Z]{3})(?:L|#[1-5]))$/ → /^(?:\?|(\d|[A-Z]{3})(?:L|#[1-5]))$/`,
  ],
  'Undefined counts as false, as its caller reads it.': [
    'acquire.ts: () => false → () => undefined',
    "middleware.ts: { return false // a task can throw anything: reading the error's name may throw } → {}",
  ],
  'If one is exactly 0, the other is below 0, unless the wall clock was set back during the request.': [
    'clock.ts: aheadAtLeast > 0 → aheadAtLeast >= 0',
  ],
  'Middy does not call `after` if `before` returned early.': ['middleware.ts: led === undefined → false'],
  'Middy calls `onError` next, which abandons the lease again: see *What remains* in docs/protocol.md.': [
    'middleware.ts: lease.abandon() → ;',
  ],
  'A text in place of a reason has no code either.': [
    'stores/dynamodb-errors.ts: [] → ["Stryker was here"]',
    'stores/dynamodb.ts: [] → ["Stryker was here"]',
  ],
  'A text in place of the match has no date either, and without a date the text is no instant.': [
    'tick.ts: [] → ["Stryker was here"]',
    'tick.ts: date === undefined → false',
  ],
  '`Date.parse` refuses what follows an instant; a sign and a longer year before it make an instant too.': [
    `tick.ts: /^${INSTANT}$/ → /${INSTANT}$/`,
    `tick.ts: /^${INSTANT}$/ → /^${INSTANT}/`,
  ],
  'Neither text is a canonical tick.': [`stores/row.ts: '' → "Stryker was here!"`],
  'It bounds the time that a very long name takes; no test measures time.': [
    'options.ts: name.slice(0, 60) → name',
    'options.ts: name.slice(0, 60) → name',
  ],
}
