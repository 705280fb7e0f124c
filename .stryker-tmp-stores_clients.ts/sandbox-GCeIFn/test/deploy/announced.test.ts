// @ts-nocheck
import { PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge'
import { InvokeCommand } from '@aws-sdk/client-lambda'
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs'
import { beforeAll, expect, test } from 'vitest'
import { CARD } from '../../functions/sandbox/cards.ts'
import { problemsOf } from '../announce/schemas.ts'
import { dueNow, seed } from './billing.ts'
import { advance, type Clients, describeDeployment } from './emulator.ts'
import { historyRow, LEASE, untilCompleted, untilLeading } from './lease.ts'
import { until } from './program.ts'
import { type DeployedStack, deployedStack } from './stack.ts'

interface ReceivedEvent {
  readonly source: string
  readonly type: string
  readonly detail: Readonly<Record<string, unknown>>
}

/**
 * Receives Tenure's events as a customer would, by an EventBridge rule with a queue as its target.
 *
 * @returns a function that returns all events so far
 */
async function listen({ eventBridge, sqs }: Clients): Promise<() => Promise<readonly ReceivedEvent[]>> {
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

describeDeployment('the announcer', (emulator) => {
  let stack: DeployedStack
  let received: () => Promise<readonly ReceivedEvent[]>
  let normal: { readonly tick: string; readonly token: number }
  let takenOver: { readonly tick: string; readonly killed: number; readonly completed: number; isRetry: boolean }

  beforeAll(async () => {
    stack = await deployedStack(emulator)
    received = await listen(stack.clients)
    const normalTick = await advance(emulator)
    normal = { tick: normalTick, token: (await untilCompleted(stack, normalTick)).fencingToken }

    await seed(emulator, stack, dueNow('announced', 4, CARD.answeredLate))
    const tick = await advance(emulator)
    const { pid, fencingToken: killed, eventId } = await untilLeading(emulator, stack, tick)
    process.kill(pid, 'SIGKILL')
    const row = await untilCompleted(stack, tick)
    takenOver = { tick, killed, completed: row.fencingToken, isRetry: row.eventId === eventId }
  })

  /** The events of successive tenures, of which the last completed its tick. */
  const eventsOf = async (first: number, last = first) =>
    until(`the event TickCompleted of ${last}`, async () => {
      const tokenOf = ({ detail }: ReceivedEvent) => Number(detail['fencingToken'])
      const seen = (await received()).filter((event) => tokenOf(event) >= first && tokenOf(event) <= last)
      return { done: seen.some((event) => event.type === 'TickCompleted' && tokenOf(event) === last), seen }
    })

  test('sends events of a tenure: LeaderElected, TickCompleted and LeaderReleased', async () => {
    const events = await eventsOf(normal.token)
    expect(events.map(({ type }) => type).toSorted()).toEqual(['LeaderElected', 'LeaderReleased', 'TickCompleted'])
    for (const { type, source, detail } of events) {
      expect(source).toBe('tenure')
      expect(problemsOf(type, detail)).toBeUndefined()
      expect(detail).toMatchObject({ lease: LEASE, fencingToken: normal.token, id: `${LEASE}/${normal.token}/${type}` })
    }
  })

  test('sends LeaderTakenOver if a leader died, and the retry of its event completes the tick', async () => {
    expect(takenOver.isRetry).toBe(true)
    const events = await eventsOf(takenOver.killed, takenOver.completed)
    expect(events.filter(({ type }) => type === 'TickCompleted')).toHaveLength(1)
    const takeover = events.find(({ type }) => type === 'LeaderTakenOver')
    expect(problemsOf('LeaderTakenOver', takeover?.detail)).toBeUndefined()
    expect(takeover?.detail).toMatchObject({
      fencingToken: takenOver.killed + 1,
      tick: takenOver.tick,
      previous: { fencingToken: takenOver.killed, tick: takenOver.tick },
    })
  })

  test('writes one history row per tenure, which expires', async () => {
    const done = await historyRow(stack, normal.token)
    expect(done).toMatchObject({ outcome: { S: 'completed' }, forTick: { S: normal.tick } })
    expect(Number(done?.['ttl']?.N)).toBe(Math.floor(Number(done?.['beganAtMs']?.N) / 1000) + 30 * 86_400)
    expect(await historyRow(stack, takenOver.killed)).toMatchObject({
      outcome: { S: 'takenOver' },
      successor: { N: String(takenOver.killed + 1) },
    })
    expect(await historyRow(stack, takenOver.completed)).toMatchObject({ outcome: { S: 'completed' } })
  })

  test('writes the history that the widget shows', async () => {
    const { Payload, FunctionError } = await stack.clients.lambda.send(
      new InvokeCommand({
        FunctionName: stack.widgetName,
        Payload: JSON.stringify({ leases: [LEASE, 'payroll'], widgetContext: { theme: 'dark', width: 1200 } }),
      }),
    )
    expect(FunctionError).toBeUndefined()
    const page: unknown = JSON.parse(Buffer.from(Payload ?? []).toString())
    expect(page).toContain('<svg')
    expect(page).toContain(String(takenOver.completed))
    expect(page).toMatch(/\d taken over/)
    // The widget's role may read the leases of its dashboard only.
    expect(page).toMatch(/payroll.*Access denied/s)
  })
})
