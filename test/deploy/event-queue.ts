/** Receives Tenure's events as a customer would: by an EventBridge rule with a queue as its target. */
import { PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge'
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs'
import type { Clients } from './emulator.ts'

export interface ReceivedEvent {
  readonly source: string
  readonly type: string
  readonly detail: Readonly<Record<string, unknown>>
}

/** @returns a function that returns all events so far */
export async function listen({ eventBridge, sqs }: Clients): Promise<() => Promise<readonly ReceivedEvent[]>> {
  const Name = 'tenure-events'
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: Name }))
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }))
  await eventBridge.send(new PutRuleCommand({ Name, EventPattern: JSON.stringify({ source: ['tenure'] }) }))
  const Targets = [{ Id: 'queue', Arn: Attributes?.['QueueArn'] }]
  await eventBridge.send(new PutTargetsCommand({ Rule: Name, Targets }))
  const received: ReceivedEvent[] = []
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

function eventOf(event: Readonly<Record<string, unknown>>): ReceivedEvent {
  return { source: String(event['source']), type: String(event['detail-type']), detail: { ...Object(event['detail']) } }
}
