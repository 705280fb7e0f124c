/** Listens to Tenure's events as a customer would: by a rule of their own, whose target is a queue. */
import { PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge'
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs'
import type { Clients } from './clients.ts'

export interface Received {
  readonly source: string
  readonly type: string
  readonly detail: Readonly<Record<string, unknown>>
}

/** @returns gives all that was received since, each time it is asked */
export async function listen({ eventBridge, sqs }: Clients): Promise<() => Promise<readonly Received[]>> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'tenure-events' }))
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }))
  await eventBridge.send(
    new PutRuleCommand({ Name: 'tenure-events', EventPattern: JSON.stringify({ source: ['tenure'] }) }),
  )
  await eventBridge.send(
    new PutTargetsCommand({ Rule: 'tenure-events', Targets: [{ Id: 'queue', Arn: Attributes?.['QueueArn'] }] }),
  )
  const received: Received[] = []
  return async () => {
    for (;;) {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))
      if (Messages.length === 0) return received
      received.push(...Messages.map(({ Body = '' }) => eventOf(JSON.parse(Body))))
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }))
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }))
    }
  }
}

function eventOf(event: Readonly<Record<string, unknown>>): Received {
  return { source: String(event['source']), type: String(event['detail-type']), detail: { ...Object(event['detail']) } }
}
