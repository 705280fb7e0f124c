// @ts-nocheck
import { join } from 'node:path'
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda'
import { beforeAll, expect, test } from 'vitest'
import { CARD } from '../../functions/sandbox/cards.ts'
import { audit, CORRECT, dueNow, seed } from './billing.ts'
import { advance, describeDeployment } from './emulator.ts'
import { invocationsIn, leaseRow, logLines, untilCompleted, untilLeading, untilLogged } from './lease.ts'
import { ROOT } from './program.ts'
import { cdkIn, type DeployedStack, deploy, deployedStack, stackStatus } from './stack.ts'

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
    await deploy(emulator, ['--app', assembly])
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
})
