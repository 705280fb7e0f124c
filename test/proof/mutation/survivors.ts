/** Why no test kills which mutants. Names are as in mutants.ts; one that survives twice is listed twice. */
export const SURVIVORS: Readonly<Record<string, readonly string[]>> = {
  'The SDK does not define where a layer without a known place goes; today it is within the retries too.': [
    `stores/sdk.ts: 'deserialize' → ""`,
    `stores/sdk.ts: 'low' → ""`,
  ],
  'The name only shows in a list of the middlewares of a command.': [
    `stores/sdk.ts: 'tenureObserveWire' → ""`,
    `stores/sdk.ts: 'tenureObserveRequest' → ""`,
  ],
  'No other layer of this step minds which of them is first.': [`stores/sdk.ts: 'high' → ""`],
  'Waiting for a free turn takes a microtask.': ['ends.ts: !this.#turns.isFree → true'],
  'A function without an end returns undefined, too.': [
    'durable-execution.ts: { return undefined // a getter that throws: the caller checks what it uses } → {}',
  ],
  'A text for people.': [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the code of the mutant
    'leadership.ts: `The leader of lease "${lease}" should hand over, but still leads (${reason}). ${whatToDo}` → ``',
  ],
  'An error of another kind has no reasons.': ['stores/dynamodb.ts: isCancelled(error) → true'],
  "It only saves the time of the SDK's marshaller.": [
    `stores/row.ts: typeof value === 'string' → false`,
    `stores/row.ts: 'string' → ""`,
  ],
  'The value of no other option is the context of a durable execution.': [`options.ts: name === 'context' → true`],
  'Each mode of retries but the adaptive one is the standard one.': [`stores/clients.ts: 'standard' → ""`],
  'The marshaller drops an attribute that is undefined, and the rules compare with undefined.': [
    'acquire.ts: settings.eventId === undefined → false',
    'acquire.ts: settings.tick === undefined → false',
    'acquire.ts: settings.continuation === undefined → false',
    'rules.ts: checkpoint !== undefined → true',
    'tick-work.ts: this.#reason === undefined → false',
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
    'renewals.ts: standing?.onLook → standing.onLook',
    'stores/clients.ts: name === undefined → false',
    'show.ts: character.codePointAt(0)?.toString → character.codePointAt(0).toString',
    'similar.ts: synonym !== undefined → true',
    'refusal.ts: holder !== undefined → true',
    'refusal.ts: tick === undefined → false',
  ],
  'To ask another value for what a text has throws, which counts as refused.': [
    "options.ts: typeof value === 'string' → true",
  ],
  'Undefined and null spread to nothing, as {} does.': [
    "stores/sdk.ts: typeof response === 'object' → true",
    "stores/sdk.ts: typeof headers === 'object' → true",
    'tick.ts: event !== null → true',
  ],
  'A comparison with undefined is false: the condition beside it already fails.': [
    'checkpoint.ts: savedVersion !== undefined → true',
    'cron-times.ts: timeMs !== undefined → true',
    'lease-handle.ts: tick !== undefined → true',
    "refusal.ts: !('tick' in request) || request.tick === undefined → false",
    "refusal.ts: !('tick' in request) || request.tick === undefined → " +
      "!('tick' in request) && request.tick === undefined",
    'refusal.ts: request.tick === undefined → false',
    'schedule.ts: time !== undefined → true',
    'tick-work.ts: saved !== undefined && tick !== undefined → true',
    'tick-work.ts: saved !== undefined && tick !== undefined → saved !== undefined || tick !== undefined',
    'tick-work.ts: saved !== undefined → true',
    'tick-work.ts: tick !== undefined → true',
  ],
  'The case makes the switch complete.': [
    "metrics.ts: case 'elected': return undefined → case 'elected':",
    `metrics.ts: 'elected' → ""`,
    `not-won.ts: 'won' → ""`,
  ],
  'No code compares with this text.': [`tick-work.ts: 'called' → ""`, `tick-work.ts: 'finished' → ""`],
  'It bounds the time that a very long name takes; no test measures time.': [
    'similar.ts: of .slice(0, LONGEST_NAME) → of',
  ],
  'Both names are compared in one case.': [
    'similar.ts: of .slice(0, LONGEST_NAME) .toLowerCase() → of.slice(0, LONGEST_NAME).toUpperCase()',
  ],
  'Neither text is a name of a class.': [`show.ts: '' → "Stryker was here!"`, `values.ts: '' → "Stryker was here!"`],
  'A server that stands has a store for it, and what another write shows is right too.': [
    'renewals.ts: store.standing !== undefined → true',
  ],
  'It narrows a type: a schedule of a known kind has its content.': [`schedule.ts: '' → "Stryker was here!"`],
  'If there is no write to wait for, the wait ends at once; and a renewal ends when an end begins.': [
    'row-writes.ts: this.#taskWrites.size > 0 → true',
    'row-writes.ts: this.#taskWrites.size > 0 → true',
    'row-writes.ts: this.#taskWrites.size > 0 → this.#taskWrites.size >= 0',
    'row-writes.ts: this.#taskWrites.size > 0 → this.#taskWrites.size >= 0',
    'row-writes.ts: this.#taskWrites.delete(write) → ;',
    'row-writes.ts: true → false',
  ],
  'It decides how long an end waits for writes that hang, shortly before the invocation ends.': [
    'row-writes.ts: (remainingMs() - answerMs) / 2 → (remainingMs() - answerMs) * 2',
    'row-writes.ts: remainingMs() - answerMs → remainingMs() + answerMs',
  ],
  'The same version is read before.': ['checkpoint.ts: savedVersion > version → savedVersion >= version'],
  'What is read wrongly is not the same request when it is made again.': [
    'stores/describe.ts: fencingToken === undefined || step === undefined → ' +
      'fencingToken === undefined && step === undefined',
    'stores/describe.ts: fencingToken === undefined → false',
    'stores/describe.ts: step === undefined → false',
    'stores/describe.ts: checkpoint !== undefined && reservedFor !== undefined && reservedUntilMs !== undefined → ' +
      'checkpoint !== undefined && reservedFor !== undefined || reservedUntilMs !== undefined',
    'stores/describe.ts: checkpoint !== undefined && reservedFor !== undefined → true',
    'stores/describe.ts: checkpoint !== undefined && reservedFor !== undefined → ' +
      'checkpoint !== undefined || reservedFor !== undefined',
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
    'not-won.ts: invocationMs > answerMs / 2 → invocationMs >= answerMs / 2',
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
  'The task returned: a lease that was neither released nor continued is completed.': [
    "with-lease.ts: ended === 'released' || ended === 'continued' → true",
  ],
  'A function that ends returns undefined.': [
    'cron-times.ts: { return undefined } → {}',
    'json.ts: { return undefined } → {}',
    'stores/describe.ts: { return undefined } → {}',
  ],
  'Equal ticks are handled before.': ['refusal.ts: heldTick < tick → heldTick <= tick'],
  'A request without a tick has no attribute for it.': [
    "rules.ts: !('tick' in request) || request.tick === undefined → !('tick' in request) && request.tick === undefined",
    'rules.ts: request.tick === undefined → false',
  ],
  'A reservation has both attributes, or none.': [
    'rules.ts: reservedFor === undefined || reservedUntilMs === undefined → ' +
      'reservedFor === undefined && reservedUntilMs === undefined',
    'rules.ts: reservedFor === undefined → false',
    'rules.ts: reservedUntilMs === undefined → false',
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
  'Undefined counts as false, as its caller reads it.': [
    'acquire.ts: () => false → () => undefined',
    'options.ts: { return false } → {}',
    "middleware.ts: { return false // a task can throw anything: reading the error's name may throw } → {}",
  ],
  'If one is exactly 0, the other is below 0, unless the wall clock was set back during the request.': [
    'clock.ts: aheadAtLeast > 0 → aheadAtLeast >= 0',
  ],
  'Middy does not call `after` if `before` returned early.': ['middleware.ts: led === undefined → false'],
  'Middy calls `onError` next, which abandons the lease again: see *What remains* in docs/protocol.md.': [
    'middleware.ts: lease.abandon() → ;',
  ],
  'A text in place of a reason has no code either.': ['stores/dynamodb-errors.ts: [] → ["Stryker was here"]'],
  'A text in place of the match has no date either, and without a date the text is no instant.': [
    'tick.ts: [] → ["Stryker was here"]',
    'tick.ts: date === undefined → false',
  ],
  'Neither text is a canonical tick.': [`stores/row.ts: '' → "Stryker was here!"`],
}
