import { ScanCommand } from '@aws-sdk/client-dynamodb'
import { ListFunctionsCommand } from '@aws-sdk/client-lambda'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { synthesize } from './assembly.ts'
import { cdk } from './cdk.ts'
import { dueNow, seed } from './customers.ts'
import { advance } from './emulator.ts'
import { scheduleNames } from './schedules.ts'
import {
  type DeployedStack,
  deployedStack,
  leaseRow,
  SHORT_LEASE,
  STACK,
  stackStatus,
  untilCompleted,
} from './stack.ts'

const emulator = inject('emulator')

describe.skipIf(emulator === undefined)('a stack that is destroyed', () => {
  if (emulator === undefined) return
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

  test('leaves the leases, the subscriptions and the ledger as they were', async () => {
    expect(before.charges).toBeGreaterThanOrEqual(2)
    expect(await kept()).toEqual(before)
  })

  test("takes the sandbox's table with it, which holds payments that never were", async () => {
    await expect(countOf(stack.tables.sandbox)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })
})
