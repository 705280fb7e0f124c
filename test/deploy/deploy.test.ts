import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda'
import { describe, expect, inject, test } from 'vitest'
import { generateCustomers } from '../../infra/local/billing/generate.ts'
import { RIGHT, readBooks } from './audit.ts'
import { LEASE_MS } from './aws.ts'
import { clientsOf } from './clients.ts'
import { seed } from './customers.ts'
import { advance } from './emulator.ts'
import { invocationsIn, logLines, tenuresOf, untilLogged } from './logs.ts'
import { bootstrap, type DeployedStack, deploy, readStack, stackStatus, untilCompleted } from './stack.ts'

const emulator = inject('emulator')

describe.skipIf(emulator === undefined)('a new deployment', () => {
  if (emulator === undefined) return
  const clients = clientsOf(emulator)
  const ticks: string[] = []
  let stack: DeployedStack

  test('starts from a bootstrapped account and creates the stack', async () => {
    await bootstrap(emulator)
    await deploy(emulator)
    expect(await stackStatus(clients)).toBe('CREATE_COMPLETE')
    stack = await readStack(clients)
    const { Environment } = await clients.lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: stack.functionName }),
    )
    expect(Environment?.Variables).toMatchObject({ LEASE_NAME: 'billing', LEASE_MS: String(LEASE_MS) })
  })

  test('has every hour charged what fell due, each subscription once', async () => {
    await seed(emulator, stack, generateCustomers(1, 120))
    for (let hour = 1; hour <= 12; hour++) {
      ticks.push(await advance(emulator))
      await untilCompleted(stack, ticks.at(-1) ?? '')
    }
    const books = await readBooks(emulator, stack, ticks.at(-1) ?? '')
    expect(books).toMatchObject(RIGHT)
    expect(books.charged).toBeGreaterThan(30)
  })

  test('fires both candidates at every tick, and one of them leads', async () => {
    const lines = await untilLogged(stack, 2 * ticks.length)
    expect(tenuresOf(lines).map(({ tick }) => tick)).toEqual(ticks)
    expect(invocationsIn(lines)).toBe(2 * ticks.length)
  })

  test('has given every tenure a higher fencing token than the one before', async () => {
    const tokens = tenuresOf(await logLines(stack)).map(({ fencingToken }) => fencingToken)
    expect(tokens).toEqual(tokens.toSorted((a, b) => a - b))
    expect(new Set(tokens).size).toBe(tokens.length)
  })
})
