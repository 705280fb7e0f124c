// @ts-nocheck
import { isDeepStrictEqual } from 'node:util'
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb'
import { GetFunctionConfigurationCommand, InvokeCommand } from '@aws-sdk/client-lambda'
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { beforeAll, expect, test } from 'vitest'
import { CARD } from '../../functions/sandbox/cards.ts'
import { generateCustomers } from '../../infra/local/billing/generate.ts'
import { seedSubscriptions } from '../../infra/local/billing/subscriptions.ts'
import { audit, CORRECT, dueNow, seed } from './billing.ts'
import { advance, clientsOf, describeDeployment } from './emulator.ts'
import { invocationsIn, LEASE, logLines, tenuresIn, untilCompleted, untilLogged } from './lease.ts'
import { until } from './program.ts'
import { bootstrapped, type DeployedStack, deploy, deployedStack, LEASE_MS, readStack, stackStatus } from './stack.ts'

describeDeployment('a new deployment', (emulator) => {
  const clients = clientsOf(emulator)
  const ticks: string[] = []
  let stack: DeployedStack

  test('bootstraps the account and creates the stack', async () => {
    await bootstrapped(emulator)
    await deploy(emulator)
    expect(await stackStatus(clients)).toBe('CREATE_COMPLETE')
    stack = await readStack(clients)
    const { Environment } = await clients.lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: stack.functionName }),
    )
    expect(Environment?.Variables).toMatchObject({ LEASE_NAME: 'billing', LEASE_MS: String(LEASE_MS) })
  })

  test('charges every hour what is due, each subscription once', async () => {
    await seed(emulator, stack, generateCustomers(1, 120))
    for (let hour = 1; hour <= 12; hour++) {
      ticks.push(await advance(emulator))
      await untilCompleted(stack, ticks.at(-1) ?? '')
    }
    const result = await audit(emulator, stack, ticks.at(-1) ?? '')
    expect(result).toMatchObject(CORRECT)
    expect(result.ledgerCharges).toBeGreaterThan(30)
  })

  test('invokes both candidates at every tick, and one of them leads, with a higher token each time', async () => {
    const lines = await untilLogged(stack, 2 * ticks.length)
    const tenures = tenuresIn(lines)
    expect(tenures.map(({ tick }) => tick)).toEqual(ticks)
    expect(invocationsIn(lines)).toBe(2 * ticks.length)
    const tokens = tenures.map(({ fencingToken }) => fencingToken)
    expect([...new Set(tokens)].sort((a, b) => a - b)).toEqual(tokens)
  })
})

describeDeployment('a tick that fails at every attempt', (emulator) => {
  const [customerThatFails] = dueNow('fails_always', 1, CARD.failing)
  if (customerThatFails === undefined) throw new Error('There is one customer')
  let stack: DeployedStack
  let tick: string

  beforeAll(async () => {
    stack = await deployedStack(emulator)
    await seed(emulator, stack, dueNow('fails', 5))
    // Without `seed`, as later audits would miss its charge.
    await seedSubscriptions(stack.clients.dynamodb, stack.tables.subscriptions, [customerThatFails])
    tick = await advance(emulator)
  })

  test('is in the failure queue after two retries, with its event', async () => {
    const message = await until('a message in the failure queue', async () => {
      const { Messages = [] } = await stack.clients.sqs.send(
        new ReceiveMessageCommand({ QueueUrl: stack.failureQueueUrl, VisibilityTimeout: 0 }),
      )
      return { done: Messages.length > 0, seen: Messages[0]?.Body ?? '' }
    })
    const failure: unknown = JSON.parse(message)
    expect(failure).toMatchObject({
      requestContext: { condition: 'RetriesExhausted' },
      requestPayload: { tick: expect.any(String), schedule: expect.any(String) },
    })
    expect(tenuresIn(await logLines(stack), tick)).toHaveLength(3)
  })

  /** Runs the check until it measures this; its schedule may have run it just before, and hidden the messages. */
  const untilChecked = (expected: { readonly ticksDead: number; readonly deadLettersBenign?: number }) =>
    until(`the check measures ${JSON.stringify(expected)}`, async () => {
      const deadLetters = [{ lease: LEASE, queues: [stack.failureQueueUrl] }]
      const Payload = JSON.stringify({ deadLetters })
      await stack.clients.lambda.send(new InvokeCommand({ FunctionName: stack.checkName, Payload }))
      const lines = await logLines(stack, stack.checkLogGroup)
      const measured = lines.findLast((line) => 'ticksDead' in line)
      const seen = { ticksDead: measured?.['ticksDead'], deadLettersBenign: measured?.['deadLettersBenign'] }
      return { done: isDeepStrictEqual(seen, { deadLettersBenign: undefined, ...expected }), seen }
    })

  test('is dead, says the check of the failure queue', async () => {
    await untilChecked({ ticksDead: 1 })
  })

  test('is made up for by the next tick, after the cause is removed', async () => {
    const { customer, plan } = customerThatFails
    const Key = { customer: { S: customer }, plan: { S: plan } }
    await stack.clients.dynamodb.send(new DeleteItemCommand({ TableName: stack.tables.subscriptions, Key }))
    await untilCompleted(stack, await advance(emulator))
    await untilChecked({ ticksDead: 0, deadLettersBenign: 1 })
  })
})
