// @ts-nocheck
import type { Context } from 'aws-lambda'

let invocations = 0

/** The context of an invocation with a minute left. Give the same `awsRequestId` twice for a retry of an event. */
export function lambdaContext(changes: Partial<Context> = {}): Context {
  const functionName = 'function-under-test'
  return {
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:eu-central-1:000000000000:function:${functionName}`,
    memoryLimitInMB: '128',
    awsRequestId: `request-${++invocations}`,
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: 'test',
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => 60_000,
    done() {},
    fail() {},
    succeed() {},
    ...changes,
  }
}
