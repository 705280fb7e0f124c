import { DeleteItemCommand, GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { clientsOf } from './clients.ts'
import { credentialsOf } from './emulator.ts'
import { type DeployedStack, deployedStack, LEASE } from './stack.ts'

const emulator = inject('emulator')

/** The emulator judges every request by the policies of the role that signed it. */
describe.skipIf(emulator === undefined)("the billing function's own role", () => {
  if (emulator === undefined) return
  let stack: DeployedStack
  let asFunction: ReturnType<typeof clientsOf>

  beforeAll(async () => {
    stack = await deployedStack(emulator)
    asFunction = clientsOf(emulator, await credentialsOf(emulator, stack.functionName))
  })

  const key = (lease: string) => ({ lease: { S: lease }, record: { S: 'LEASE' } })
  const never = {
    UpdateExpression: 'SET holder = :nobody',
    ConditionExpression: 'holder = :nobody',
    ExpressionAttributeValues: { ':nobody': { S: 'nobody' } },
  }
  const denied = { name: 'AccessDeniedException' }

  test('may write to its own lease', async () => {
    const request = new UpdateItemCommand({ TableName: stack.tables.leases, Key: key(LEASE), ...never })
    await expect(asFunction.dynamodb.send(request)).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' })
  })

  test('may not write to any other lease', async () => {
    const request = new UpdateItemCommand({ TableName: stack.tables.leases, Key: key('payroll'), ...never })
    await expect(asFunction.dynamodb.send(request)).rejects.toMatchObject(denied)
  })

  test('may neither delete its lease, nor replace it, nor read it', async () => {
    const where = { TableName: stack.tables.leases, Key: key(LEASE) }
    await expect(asFunction.dynamodb.send(new DeleteItemCommand(where))).rejects.toMatchObject(denied)
    await expect(asFunction.dynamodb.send(new GetItemCommand(where))).rejects.toMatchObject(denied)
    const replacement = new PutItemCommand({ TableName: stack.tables.leases, Item: key(LEASE) })
    await expect(asFunction.dynamodb.send(replacement)).rejects.toMatchObject(denied)
  })

  test("may not touch the gateway's own table", async () => {
    const Key = { customer: { S: 'somebody' }, key: { S: 'anything' } }
    const request = new GetItemCommand({ TableName: stack.tables.sandbox, Key })
    await expect(asFunction.dynamodb.send(request)).rejects.toMatchObject(denied)
  })
})
