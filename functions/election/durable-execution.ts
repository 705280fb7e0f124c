import { InvalidOptionError } from './errors.ts'

/**
 * For code that elects an ordinary invocation: it runs once for each event, but code of a durable function again at
 * every replay.
 * @param given what a caller passed, such as Lambda's event, or the context of the durable execution SDK
 * @throws InvalidOptionError if one of them belongs to a durable execution
 */
export function refuseDurable(caller: string, why: string, ...given: readonly unknown[]): void {
  if (!given.some(isOfDurableExecution)) return
  throw new InvalidOptionError(
    `${caller} cannot elect a durable execution: ${why} ` +
      'In the handler, call durableLeader(ctx, options, task) of tenure/durable instead.',
  )
}

/** Lambda's event has DurableExecutionArn; the SDK's context, also behind middy, has executionContext. */
function isOfDurableExecution(given: unknown): boolean {
  try {
    const { DurableExecutionArn, executionContext }: Readonly<Record<string, unknown>> = Object(given)
    return typeof DurableExecutionArn === 'string' || typeof Object(executionContext).durableExecutionArn === 'string'
  } catch {
    return false // a getter that throws: the caller checks what it uses
  }
}
