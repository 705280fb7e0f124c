import { Duration, Validations } from 'aws-cdk-lib'
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam'
import type { DlqDestinationConfig } from 'aws-cdk-lib/aws-lambda'
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'

/** A dead-letter queue. It keeps messages for 14 days, the longest time that SQS allows. */
export function failureQueue(scope: Construct): Queue {
  const queue = new Queue(scope, 'Failures', {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
  })
  const reason = 'This queue is a dead-letter queue and needs none of its own'
  Validations.of(queue).acknowledge({ id: 'AwsSolutions-SQS3', reason })
  return queue
}

/**
 * Allows a function's role to send failed events. `grantSendMessages` would also allow to read the queue's attributes.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
 */
export function grantSend(queue: IQueue, grantee: IGrantable): Grant {
  return Grant.addToPrincipal({ grantee, actions: ['sqs:SendMessage'], resourceArns: [queue.queueArn] })
}

/** The queue as a failure destination. It needs the permission of {@link grantSend}. */
export function destinationOf(queue: IQueue): { bind(): DlqDestinationConfig } {
  return { bind: () => ({ destination: queue.queueArn }) }
}
