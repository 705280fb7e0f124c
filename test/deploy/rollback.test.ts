import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda'
import { beforeAll, expect, test } from 'vitest'
import { audit, CORRECT, dueNow, seed } from './billing.ts'
import { describeDeployment } from './describe.ts'
import { advance } from './emulator.ts'
import { leaseRow, untilCompleted } from './lease.ts'
import type { Ended } from './program.ts'
import { type DeployedStack, deployApp, deployedStack, scheduleNames, stackStatus } from './stack.ts'

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
