import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { RIGHT, readBooks } from './audit.ts'
import { dueNow, seed } from './customers.ts'
import { advance } from './emulator.ts'
import type { Ended } from './program.ts'
import { scheduleNames } from './schedules.ts'
import { type DeployedStack, deployApp, deployedStack, leaseRow, stackStatus, untilCompleted } from './stack.ts'

const emulator = inject('emulator')

describe.skipIf(emulator === undefined)('an update that fails half-way', () => {
  if (emulator === undefined) return
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

  test('fails for the reason that was planted, after the function had been changed', () => {
    expect(update.exitCode).not.toBe(0)
    expect(update.output).toMatch(/UPDATE_COMPLETE +\| AWS::Lambda::Function +\| ChargeSubscriptions /)
    expect(update.output).toMatch(/_FAILED +\| AWS::SSM::Parameter +\| Taken .*AlreadyExists/)
  })

  test('puts function, schedules and lease back as they were', async () => {
    expect(await stackStatus(stack.clients)).toBe('UPDATE_ROLLBACK_COMPLETE')
    expect(await settings()).toEqual(before)
  })

  test('does not keep the next ticks from being worked', async () => {
    await seed(emulator, stack, dueNow('rollback', 5))
    const tick = await advance(emulator)
    await untilCompleted(stack, tick)
    expect(await readBooks(emulator, stack, tick)).toMatchObject(RIGHT)
  })
})
