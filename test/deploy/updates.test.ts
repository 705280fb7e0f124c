import { join } from 'node:path'
import { ScanCommand } from '@aws-sdk/client-dynamodb'
import { GetFunctionConfigurationCommand, ListFunctionsCommand } from '@aws-sdk/client-lambda'
import { beforeAll, expect, test } from 'vitest'
import { CARD } from '../../functions/sandbox/cards.ts'
import { audit, CORRECT, dueNow, seed } from './billing.ts'
import { advance, describeDeployment } from './emulator.ts'
import { invocationsIn, leaseRow, logLines, untilCompleted, untilLeading, untilLogged } from './lease.ts'
import { type Ended, ROOT } from './program.ts'
import {
  cdkIn,
  type DeployedStack,
  deployApp,
  deployedStack,
  STACK,
  scheduleNames,
  setSchedule,
  stackStatus,
} from './stack.ts'

describeDeployment('an update to three candidates and a longer lease, while a leader works', (emulator) => {
  let stack: DeployedStack
  let tick: string
  let tokenBefore: number

  // Unlike AWS, the emulator kills the invocations of a function that it updates, so this leader dies.
  beforeAll(async () => {
    stack = await deployedStack(emulator)
    const assembly = join(emulator.directory, 'three-candidates')
    const context = ['--context', 'candidates=3', '--context', 'leaseMs=3000']
    await cdkIn(ROOT, emulator, 'synth', '--quiet', '--output', assembly, ...context)
    await seed(emulator, stack, [...dueNow('update', 10), ...dueNow('update_late', 12, CARD.answeredLate)])
    tick = await advance(emulator)
    tokenBefore = (await untilLeading(emulator, stack, tick)).fencingToken
    await advance(emulator, 30) // a schedule's hours start at its creation, so the new schedule ticks at half past
    await deployApp(emulator, assembly)
  })

  test('succeeds, and keeps the lease row with its tokens', async () => {
    expect(await stackStatus(stack.clients)).toBe('UPDATE_COMPLETE')
    const row = await untilCompleted(stack, tick)
    expect(row.fencingToken).toBeGreaterThanOrEqual(tokenBefore)
    const { Environment } = await stack.clients.lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: stack.functionName }),
    )
    expect(Environment?.Variables).toMatchObject({ LEASE_MS: '3000' })
  })

  test('leaves no customer charged twice or not at all', async () => {
    expect(await audit(emulator, stack, tick)).toMatchObject(CORRECT)
  })

  test('adds a third candidate, which stands by for the same ticks half an hour later', async () => {
    const before = invocationsIn(await logLines(stack))
    const tokenBefore = (await leaseRow(stack))?.fencingToken ?? 0
    tick = await advance(emulator, 30)
    await untilCompleted(stack, tick)
    await untilLogged(stack, before + 2)
    await advance(emulator, 30)
    await untilLogged(stack, before + 3)
    expect(await leaseRow(stack)).toMatchObject({ completedTick: tick, fencingToken: tokenBefore + 1 })
  })

  test('lets the third candidate lead a tick if all other events are lost', async () => {
    const others = (await scheduleNames(stack.clients)).slice(0, 2)
    for (const schedule of others) await setSchedule(stack.clients, schedule, 'DISABLED')
    tick = await advance(emulator)
    await untilCompleted(stack, tick)
    for (const schedule of others) await setSchedule(stack.clients, schedule, 'ENABLED')
  })
})

describeDeployment('an update that fails halfway', (emulator) => {
  let stack: DeployedStack
  let before: Awaited<ReturnType<typeof settings>>
  let update: Ended

  const settings = async () => {
    const [{ Environment }, schedules, lease] = await Promise.all([
      stack.clients.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: stack.functionName })),
      scheduleNames(stack.clients),
      leaseRow(stack),
    ])
    return { variables: Environment?.Variables, schedules, lease }
  }

  beforeAll(async () => {
    stack = await deployedStack(emulator)
    before = await settings()
    update = await deployApp(emulator, 'node test/deploy/broken-app.ts')
  })

  test('fails at the parameter of broken-app.ts, after the function was changed', () => {
    expect(update.exitCode).not.toBe(0)
    expect(update.output).toMatch(/UPDATE_COMPLETE +\| AWS::Lambda::Function +\| ChargeSubscriptions /)
    expect(update.output).toMatch(/_FAILED +\| AWS::SSM::Parameter +\| Taken .*AlreadyExists/)
  })

  test('restores function, schedules and lease', async () => {
    expect(await stackStatus(stack.clients)).toBe('UPDATE_ROLLBACK_COMPLETE')
    expect(await settings()).toEqual(before)
  })

  test('does not prevent the next tick', async () => {
    await seed(emulator, stack, dueNow('rollback', 5))
    const tick = await advance(emulator)
    await untilCompleted(stack, tick)
    expect(await audit(emulator, stack, tick)).toMatchObject(CORRECT)
  })
})

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
    await cdkIn(ROOT, emulator, 'destroy', STACK, '--force')
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
