import { DeleteItemCommand } from '@aws-sdk/client-dynamodb'
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { beforeAll, expect, test } from 'vitest'
import { audit, CARDS, CORRECT, dueNow, seed } from './billing.ts'
import { describeDeployment } from './describe.ts'
import { advance } from './emulator.ts'
import { leaseRow, untilCompleted } from './lease.ts'
import { logLines, tenuresIn } from './logs.ts'
import { until } from './program.ts'
import { type DeployedStack, deployedStack } from './stack.ts'

describeDeployment('a tick that fails at every attempt', (emulator) => {
  const [customerThatFails] = dueNow('fails_always', 1, CARDS.failing)
  if (customerThatFails === undefined) throw new Error('There is one customer')
  let stack: DeployedStack
  let tick: string

  beforeAll(async () => {
    stack = await deployedStack(emulator)
    await seed(emulator, stack, [...dueNow('fails', 5), customerThatFails])
    tick = await advance(emulator)
  })

  test('is in the failure queue after two retries, with its event', async () => {
    const message = await until('a message in the failure queue', async () => {
      const { Messages = [] } = await stack.clients.sqs.send(
        new ReceiveMessageCommand({ QueueUrl: stack.failureQueueUrl }),
      )
      return { done: Messages.length > 0, seen: Messages[0]?.Body ?? '' }
    })
    const failure: unknown = JSON.parse(message)
    expect(failure).toMatchObject({
      requestContext: { condition: 'RetriesExhausted' },
      requestPayload: { periodMs: 3_600_000 },
    })
    expect(tenuresIn(await logLines(stack), tick)).toHaveLength(3)
  })

  test('is not completed, and the lease is vacant', async () => {
    const row = await leaseRow(stack)
    expect(row?.completedTick).not.toBe(tick)
    expect(row).toMatchObject({ endedBy: 'failed', errorName: 'UnsettledChargesError' })
    expect(row?.holder).toBeUndefined()
  })

  test('has charged all other customers, once', async () => {
    expect(await audit(emulator, stack, tick)).toMatchObject({ ...CORRECT, missing: 1 })
  })

  test('is made up for by the next tick, after the cause is removed', async () => {
    const { customer, plan } = customerThatFails
    const Key = { customer: { S: customer }, plan: { S: plan } }
    await stack.clients.dynamodb.send(new DeleteItemCommand({ TableName: stack.tables.subscriptions, Key }))
    await untilCompleted(stack, await advance(emulator))
  })
})
