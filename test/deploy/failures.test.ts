import { DeleteItemCommand } from '@aws-sdk/client-dynamodb'
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { readBooks } from './audit.ts'
import { CARDS, dueNow, seed } from './customers.ts'
import { advance } from './emulator.ts'
import { logLines, tenuresOf } from './logs.ts'
import { until } from './poll.ts'
import { type DeployedStack, deployedStack, leaseRow, untilCompleted } from './stack.ts'

const emulator = inject('emulator')

describe.skipIf(emulator === undefined)('a tick that fails at every try', () => {
  if (emulator === undefined) return
  const [customerThatFails] = dueNow('fails_always', 1, CARDS.failing)
  if (customerThatFails === undefined) throw new Error('There is nobody to fail')
  let stack: DeployedStack
  let tick: string

  beforeAll(async () => {
    stack = await deployedStack(emulator)
    await seed(emulator, stack, [...dueNow('fails', 5), customerThatFails])
    tick = await advance(emulator)
  })

  test('ends in the failure queue, with the event as it was, after two retries', async () => {
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
    expect(tenuresOf(await logLines(stack)).filter((tenure) => tenure.tick === tick)).toHaveLength(3)
  })

  test('is not recorded as done, and the lease is free', async () => {
    const row = await leaseRow(stack)
    expect(row?.completedTick).not.toBe(tick)
    expect(row).toMatchObject({ endedBy: 'failed', errorName: 'UnsettledChargesError' })
    expect(row?.holder).toBeUndefined()
  })

  test('has charged everybody else, once', async () => {
    expect(await readBooks(emulator, stack, tick)).toMatchObject({
      doubled: 0,
      missing: 1,
      unowed: 0,
      disagreements: 0,
    })
  })

  test('is made up for by the next tick, once somebody has removed the cause', async () => {
    const { customer, plan } = customerThatFails
    const Key = { customer: { S: customer }, plan: { S: plan } }
    await stack.clients.dynamodb.send(new DeleteItemCommand({ TableName: stack.tables.subscriptions, Key }))
    await untilCompleted(stack, await advance(emulator))
  })
})
