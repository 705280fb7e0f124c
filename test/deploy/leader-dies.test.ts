import { beforeAll, expect, test } from 'vitest'
import { readLedger } from '../../infra/local/billing/audit.ts'
import { audit, CARDS, CORRECT, dueNow, seed } from './billing.ts'
import { describeDeployment } from './describe.ts'
import { advance } from './emulator.ts'
import { type Leader, untilCompleted, untilLeading } from './lease.ts'
import { logLines, tenuresIn } from './logs.ts'
import { until } from './program.ts'
import { type DeployedStack, deployedStack } from './stack.ts'

describeDeployment('a leader whose process is killed during its tick', (emulator) => {
  let stack: DeployedStack
  let tick: string
  let killed: Leader

  beforeAll(async () => {
    stack = await deployedStack(emulator)
    await seed(emulator, stack, [...dueNow('dies_soon', 10), ...dueNow('dies_late', 4, CARDS.late)])
    tick = await advance(emulator)
    killed = await untilLeading(emulator, stack, tick)
    // Then the leader waits only for the late answers to charges that the sandbox has already made.
    await until('the ledger contains the other customers', async () => {
      const charges = await readLedger(stack.clients.dynamodb, stack.tables.charges)
      const seen = charges.filter(({ customer }) => customer.startsWith('dies_soon')).length
      return { done: seen === 10, seen }
    })
    process.kill(killed.pid, 'SIGKILL')
  })

  test('is replaced by the retry of its event, which completes the tick', async () => {
    const row = await untilCompleted(stack, tick)
    const tenures = tenuresIn(await logLines(stack), tick)
    expect(tenures).toEqual([
      { tick, fencingToken: killed.fencingToken },
      { tick, fencingToken: row.fencingToken },
    ])
    expect(row.eventId).toBe(killed.eventId)
  })

  test('leaves no customer charged twice or not at all', async () => {
    expect(await audit(emulator, stack, tick)).toMatchObject(CORRECT)
  })
})
