import { isDeepStrictEqual } from 'node:util'
import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { GetFunctionConfigurationCommand, InvokeCommand } from '@aws-sdk/client-lambda'
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { beforeAll, expect, test } from 'vitest'
import { historyKey } from '../../functions/announce/history-row.ts'
import { LEASE_RECORD } from '../../functions/election/stores/row.ts'
import { CARD } from '../../functions/sandbox/cards.ts'
import { readLedger } from '../../infra/local/billing/audit.ts'
import { generateCustomers } from '../../infra/local/billing/generate.ts'
import { seedSubscriptions } from '../../infra/local/billing/subscriptions.ts'
import { audit, CORRECT, dueNow, seed } from './billing.ts'
import { advance, clientsOf, credentialsOf, describeDeployment } from './emulator.ts'
import {
  invocationsIn,
  LEASE,
  type Leader,
  leaseRow,
  logLines,
  tenuresIn,
  untilCompleted,
  untilLeading,
  untilLogged,
} from './lease.ts'
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

  test('invokes both candidates at every tick, and one of them leads, with a higher token than the one before', async () => {
    const lines = await untilLogged(stack, 2 * ticks.length)
    const tenures = tenuresIn(lines)
    expect(tenures.map(({ tick }) => tick)).toEqual(ticks)
    expect(invocationsIn(lines)).toBe(2 * ticks.length)
    const tokens = tenures.map(({ fencingToken }) => fencingToken)
    expect([...new Set(tokens)].sort((a, b) => a - b)).toEqual(tokens)
  })
})

/** The emulator checks every request against the policies of the role that signed it. */
describeDeployment('a role', (emulator) => {
  const keyOf = (lease: string, record = LEASE_RECORD) => ({ lease: { S: lease }, record: { S: record } })
  const Key = keyOf(LEASE)
  const history = keyOf(LEASE, historyKey({ lease: LEASE, fencingToken: 1 }).record)
  const fakePayment = { customer: { S: 'anyone' }, key: { S: 'anything' } }

  type Request = (client: DynamoDBClient, tables: DeployedStack['tables']) => Promise<unknown>
  const write =
    (attribute: string, key = Key): Request =>
    (client, { leases }) =>
      client.send(
        new UpdateItemCommand({
          TableName: leases,
          Key: key,
          UpdateExpression: `SET ${attribute} = :none`,
          ConditionExpression: `${attribute} = :none`,
          ExpressionAttributeValues: { ':none': { S: 'none' } },
        }),
      )
  const [allowed, denied] = ['ConditionalCheckFailedException', 'AccessDeniedException']

  test.each<[who: string, what: string, name: string, request: Request]>([
    ['billing', 'writes its lease', allowed, write('holder')],
    ['billing', 'writes another lease', denied, write('holder', keyOf('payroll'))],
    ['billing', 'reads', denied, (to, { leases }) => to.send(new GetItemCommand({ TableName: leases, Key }))],
    ['billing', 'replaces', denied, (to, { leases }) => to.send(new PutItemCommand({ TableName: leases, Item: Key }))],
    ['billing', 'deletes', denied, (to, { leases }) => to.send(new DeleteItemCommand({ TableName: leases, Key }))],
    [
      'billing',
      "reads the sandbox's table",
      denied,
      (to, { sandbox }) => to.send(new GetItemCommand({ TableName: sandbox, Key: fakePayment })),
    ],
    ['the announcer', 'writes history', allowed, write('candidate', history)],
    ['the announcer', 'writes who leads', denied, write('holder')],
    ['the announcer', 'writes what is completed', denied, write('completedTick')],
  ])('of %s that %s gets %s', async (who, _, name, request) => {
    const { functionName, announcerName, tables } = await deployedStack(emulator)
    const credentials = await credentialsOf(emulator, who === 'billing' ? functionName : announcerName)
    await expect(request(clientsOf(emulator, credentials).dynamodb, tables)).rejects.toMatchObject({ name })
  })
})

describeDeployment('a leader whose process is killed during its tick', (emulator) => {
  let stack: DeployedStack
  let tick: string
  let killed: Leader

  beforeAll(async () => {
    stack = await deployedStack(emulator)
    await seed(emulator, stack, [...dueNow('dies_soon', 10), ...dueNow('dies_late', 4, CARD.answeredLate)])
    tick = await advance(emulator)
    killed = await untilLeading(emulator, stack, tick)
    // Then the leader waits only for the late answers to charges that the sandbox has already made.
    await until('the ledger contains the other customers', async () => {
      const charges = await readLedger(stack.clients.dynamodb, stack.tables.charges)
      const seen = charges.filter(({ customer }) => customer.startsWith('dies_soon')).length
      return { done: seen === 10, seen }
    })
    process.kill(killed.pid, 'SIGKILL')
  })

  test('is replaced by the retry of its event, which completes the tick', async () => {
    const row = await untilCompleted(stack, tick)
    const tenures = tenuresIn(await logLines(stack), tick)
    expect(tenures).toEqual([
      { tick, fencingToken: killed.fencingToken },
      { tick, fencingToken: row.fencingToken },
    ])
    expect(row.eventId).toBe(killed.eventId)
  })

  test('leaves no customer charged twice or not at all', async () => {
    expect(await audit(emulator, stack, tick)).toMatchObject(CORRECT)
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

  test('is not completed, and the lease is vacant', async () => {
    const row = await leaseRow(stack)
    expect(row?.completedTick).not.toBe(tick)
    expect(row).toMatchObject({ endedBy: 'failed', errorName: 'UnsettledChargesError' })
    expect(row?.holder).toBeUndefined()
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

  test('has charged all other customers, once', async () => {
    expect(await audit(emulator, stack, tick)).toMatchObject({ ...CORRECT, dueNotCharged: 1 })
  })

  test('is made up for by the next tick, after the cause is removed', async () => {
    const { customer, plan } = customerThatFails
    const Key = { customer: { S: customer }, plan: { S: plan } }
    await stack.clients.dynamodb.send(new DeleteItemCommand({ TableName: stack.tables.subscriptions, Key }))
    await untilCompleted(stack, await advance(emulator))
    await untilChecked({ ticksDead: 0, deadLettersBenign: 1 })
  })
})
