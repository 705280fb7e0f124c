import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { synthesize } from './assembly.ts'
import { RIGHT, readBooks } from './audit.ts'
import { CARDS, dueNow, seed } from './customers.ts'
import { advance } from './emulator.ts'
import { untilLeading } from './leading.ts'
import { invocationsIn, logLines, untilLogged } from './logs.ts'
import { scheduleNames, setSchedule } from './schedules.ts'
import { type DeployedStack, deployApp, deployedStack, leaseRow, stackStatus, untilCompleted } from './stack.ts'

const emulator = inject('emulator')

describe.skipIf(emulator === undefined)('an update to three candidates and another lease, while a leader works', () => {
  if (emulator === undefined) return
  let stack: DeployedStack
  let tick: string
  let tokenBefore: number

  // The emulator, other than AWS, ends the invocations of a function that it updates: this leader dies of the update.
  beforeAll(async () => {
    stack = await deployedStack(emulator)
    const assembly = await synthesize(emulator, 'candidates=3', 'leaseMs=3000')
    await seed(emulator, stack, [...dueNow('update', 10), ...dueNow('update_late', 12, CARDS.late)])
    tick = await advance(emulator)
    tokenBefore = (await untilLeading(emulator, stack, tick)).fencingToken
    await advance(emulator, 30) // schedules count their hours from when they were created: the new one from half past
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

  test('leaves nothing charged twice, and nothing out', async () => {
    expect(await readBooks(emulator, stack, tick)).toMatchObject(RIGHT)
  })

  test('makes a third candidate ask for the same ticks half an hour later, in vain', async () => {
    const before = invocationsIn(await logLines(stack))
    const tokenBefore = (await leaseRow(stack))?.fencingToken ?? 0
    tick = await advance(emulator, 30)
    await untilCompleted(stack, tick)
    await untilLogged(stack, before + 2)
    await advance(emulator, 30)
    await untilLogged(stack, before + 3)
    expect(await leaseRow(stack)).toMatchObject({ completedTick: tick, fencingToken: tokenBefore + 1 })
  })

  test('lets it lead the tick of which all other events are lost', async () => {
    const others = (await scheduleNames(stack.clients)).slice(0, 2)
    for (const schedule of others) await setSchedule(stack.clients, schedule, 'DISABLED')
    tick = await advance(emulator)
    await untilCompleted(stack, tick)
    for (const schedule of others) await setSchedule(stack.clients, schedule, 'ENABLED')
  })
})
