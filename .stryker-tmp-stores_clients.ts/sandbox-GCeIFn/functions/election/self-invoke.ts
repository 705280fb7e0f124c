// @ts-nocheck
import type { InvokeCommand } from '@aws-sdk/client-lambda'
import { CONTINUATION, type Continuation, type ContinueBy } from './continuation.ts'
import { InvalidOptionError } from './errors.ts'
import { show } from './show.ts'
import { SDK_CLIENT } from './stores/sdk-client.ts'
import { isPlainObject } from './values.ts'

export interface SelfInvokeOptions {
  /** Your own client of any copy of the SDK. @default a client with time-outs and two retries */
  readonly client?: { send(command: InvokeCommand): Promise<unknown> }
  /** The event of this invocation, a plain object: needed by `withLease`, which does not see it. */
  readonly event?: object
}

/**
 * For the option `continueBy`: invokes this function again, asynchronously, with the event of this invocation and the
 * continuation's id as its `leaseContinuation`. The function needs `lambda:InvokeFunction` on itself, and must be
 * allowed to be recursive, since Lambda stops a chain of about 16 invocations: the prop `continues` of an
 * ElectedSchedule does both.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
 * @example
 * export const handler = middy().use(leaderOnly({ continueBy: selfInvoke() })).handler(billAllPages)
 * @throws InvalidOptionError for an unknown option; from the function that it returns also if the event is no plain
 *   object or the context names no function, and Lambda's own errors
 */
export function selfInvoke(options: SelfInvokeOptions = {}): ContinueBy {
  const { client, event, ...unknown } = options
  const [misspelt] = Object.keys(unknown)
  if (misspelt !== undefined) {
    throw new InvalidOptionError(`selfInvoke has no option ${show(misspelt)}. Options: client, event.`)
  }
  let lambda = client
  const start = async (continuation: Continuation) => {
    const { id, lease, context } = continuation
    const given = event ?? continuation.event
    if (typeof given !== 'object' || given === null || !isPlainObject(given) || 'toJSON' in given) {
      throw new InvalidOptionError(
        `selfInvoke adds the continuation's id to the event, which must be a plain object, but is ${show(given)}. ` +
          'With withLease, give it: selfInvoke({ event }).',
        { lease },
      )
    }
    const FunctionName = context?.invokedFunctionArn
    if (FunctionName === undefined) {
      throw new InvalidOptionError(
        "selfInvoke needs the invokedFunctionArn of Lambda's context: give the option context.",
        { lease },
      )
    }
    const { InvokeCommand, LambdaClient } = await load()
    lambda ??= new LambdaClient(SDK_CLIENT)
    const Payload = JSON.stringify({ ...given, [CONTINUATION]: id })
    await lambda.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload }))
  }
  return Object.assign(start, { prepare: load })
}

/** Not for those that stand by. */
const load = () => import('@aws-sdk/client-lambda')
