// @ts-nocheck
import { InvalidOptionError } from './errors.ts'

/**
 * For code that elects an ordinary invocation: it runs once for each event, but code of a durable function again at
 * every replay.
 * @param given what a caller passed, such as Lambda's event, or the context of the durable execution SDK
 * @throws InvalidOptionError if one of them belongs to a durable execution
 */
export function refuseDurable(caller: string, why: string, ...given: readonly unknown[]): void {
  if (given.every((one) => executionOf(one) === undefined)) return
  throw new InvalidOptionError(
    `${caller} cannot elect a durable execution: ${why} ` +
      'In the handler, call durableLeader(ctx, options, task) of tenure/durable instead.',
  )
}

/** The ARN in Lambda's event, or in the context of the SDK, also behind middy. */
export function executionOf(given: unknown): string | undefined {
  try {
    const { DurableExecutionArn, CheckpointToken, executionContext }: Readonly<Record<string, unknown>> = Object(given)
    const ofEvent = CheckpointToken === undefined ? undefined : DurableExecutionArn
    const arn: unknown = ofEvent ?? Object(executionContext).durableExecutionArn
    return typeof arn === 'string' ? arn : undefined
  } catch {
    return undefined // a getter that throws: the caller checks what it uses
  }
}
