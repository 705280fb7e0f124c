import { Duration, Validations } from 'aws-cdk-lib'
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam'
import type { DlqDestinationConfig } from 'aws-cdk-lib/aws-lambda'
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'

/** Where events end that nobody could handle, for somebody to look at: kept for 14 days, the most that SQS takes. */
export function failureQueue(scope: Construct): Queue {
  const queue = new Queue(scope, 'Failures', {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
  })
  Validations.of(queue).acknowledge({
    id: 'AwsSolutions-SQS3',
    reason: 'This queue is itself where failures end; it has nowhere further to pass them on',
  })
  return queue
}

/**
 * Lets Lambda send what a function failed at, which it does with the function's role. Not `grantSendMessages`, which also
 * permits to look at the queue.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
 */
export function grantSend(queue: IQueue, grantee: IGrantable): Grant {
  return Grant.addToPrincipal({ grantee, actions: ['sqs:SendMessage'], resourceArns: [queue.queueArn] })
}

/** The queue as a destination of a function or an event source that was permitted by {@link grantSend}. */
export function destinationOf(queue: IQueue): { bind(): DlqDestinationConfig } {
  return { bind: () => ({ destination: queue.queueArn }) }
}
