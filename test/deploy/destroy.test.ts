import { ScanCommand } from '@aws-sdk/client-dynamodb'
import { ListFunctionsCommand } from '@aws-sdk/client-lambda'
import { beforeAll, expect, test } from 'vitest'
import { dueNow, seed } from './billing.ts'
import { cdk, synthesize } from './cdk.ts'
import { describeDeployment } from './describe.ts'
import { advance } from './emulator.ts'
import { leaseRow, untilCompleted } from './lease.ts'
import { type DeployedStack, deployedStack, SHORT_LEASE, STACK, scheduleNames, stackStatus } from './stack.ts'

describeDeployment('a destroyed stack', (emulator) => {
  let stack: DeployedStack
  let before: Awaited<ReturnType<typeof kept>>

  const countOf = async (TableName: string) =>
    (await stack.clients.dynamodb.send(new ScanCommand({ TableName, Select: 'COUNT' }))).Count
  const kept = async () => ({
    lease: await leaseRow(stack),
    subscriptions: await countOf(stack.tables.subscriptions),
    charges: await countOf(stack.tables.charges),
  })

  beforeAll(async () => {
    stack = await deployedStack(emulator)
    await seed(emulator, stack, dueNow('destroy', 2))
    await untilCompleted(stack, await advance(emulator))
    before = await kept()
    await cdk(emulator, 'destroy', STACK, '--force', '--app', await synthesize(emulator, SHORT_LEASE))
  })

  test('is gone, with its functions and schedules', async () => {
    expect(await stackStatus(stack.clients)).toBe('gone')
    expect(await stack.clients.lambda.send(new ListFunctionsCommand({}))).toMatchObject({ Functions: [] })
    expect(await scheduleNames(stack.clients)).toEqual([])
  })

  test('keeps the leases, the subscriptions and the ledger unchanged', async () => {
    expect(before.charges).toBeGreaterThanOrEqual(2)
    expect(await kept()).toEqual(before)
  })

  test("deletes the sandbox's table, which contains only fake payments", async () => {
    await expect(countOf(stack.tables.sandbox)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })
})
