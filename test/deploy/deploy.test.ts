import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda'
import { expect, test } from 'vitest'
import { generateCustomers } from '../../infra/local/billing/generate.ts'
import { audit, CORRECT, seed } from './billing.ts'
import { describeDeployment } from './describe.ts'
import { advance, clientsOf } from './emulator.ts'
import { untilCompleted } from './lease.ts'
import { invocationsIn, logLines, tenuresIn, untilLogged } from './logs.ts'
import { bootstrapped, type DeployedStack, deploy, LEASE_MS, readStack, stackStatus } from './stack.ts'

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
    expect(result.charged).toBeGreaterThan(30)
  })

  test('invokes both candidates at every tick, and one of them leads', async () => {
    const lines = await untilLogged(stack, 2 * ticks.length)
    expect(tenuresIn(lines).map(({ tick }) => tick)).toEqual(ticks)
    expect(invocationsIn(lines)).toBe(2 * ticks.length)
  })

  test('gives every tenure a higher fencing token than the one before', async () => {
    const tokens = tenuresIn(await logLines(stack)).map(({ fencingToken }) => fencingToken)
    expect(tokens).toEqual(tokens.toSorted((a, b) => a - b))
    expect(new Set(tokens).size).toBe(tokens.length)
  })
})
