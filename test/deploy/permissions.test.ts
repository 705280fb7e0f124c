import { DeleteItemCommand, GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { beforeAll, expect, test } from 'vitest'
import { LEASE_RECORD } from '../../functions/election/stores/row.ts'
import { describeDeployment } from './describe.ts'
import { clientsOf, credentialsOf } from './emulator.ts'
import { LEASE } from './lease.ts'
import { type DeployedStack, deployedStack } from './stack.ts'

/** The emulator checks every request against the policies of the role that signed it. */
describeDeployment("the billing function's role", (emulator) => {
  let stack: DeployedStack
  let asFunction: ReturnType<typeof clientsOf>

  beforeAll(async () => {
    stack = await deployedStack(emulator)
    asFunction = clientsOf(emulator, await credentialsOf(emulator, stack.functionName))
  })

  const key = (lease: string) => ({ lease: { S: lease }, record: { S: LEASE_RECORD } })
  const neverTrue = {
    UpdateExpression: 'SET holder = :none',
    ConditionExpression: 'holder = :none',
    ExpressionAttributeValues: { ':none': { S: 'none' } },
  }
  const denied = { name: 'AccessDeniedException' }

  test('may write to its own lease', async () => {
    const request = new UpdateItemCommand({ TableName: stack.tables.leases, Key: key(LEASE), ...neverTrue })
    await expect(asFunction.dynamodb.send(request)).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' })
  })

  test('may not write to another lease', async () => {
    const request = new UpdateItemCommand({ TableName: stack.tables.leases, Key: key('payroll'), ...neverTrue })
    await expect(asFunction.dynamodb.send(request)).rejects.toMatchObject(denied)
  })

  test('may not delete, replace or read its lease', async () => {
    const row = { TableName: stack.tables.leases, Key: key(LEASE) }
    await expect(asFunction.dynamodb.send(new DeleteItemCommand(row))).rejects.toMatchObject(denied)
    await expect(asFunction.dynamodb.send(new GetItemCommand(row))).rejects.toMatchObject(denied)
    const replacement = new PutItemCommand({ TableName: stack.tables.leases, Item: key(LEASE) })
    await expect(asFunction.dynamodb.send(replacement)).rejects.toMatchObject(denied)
  })

  test("may not access the sandbox's table", async () => {
    const Key = { customer: { S: 'anyone' }, key: { S: 'anything' } }
    const request = new GetItemCommand({ TableName: stack.tables.sandbox, Key })
    await expect(asFunction.dynamodb.send(request)).rejects.toMatchObject(denied)
  })
})
