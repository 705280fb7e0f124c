import { beforeAll, describe, expect, inject, test } from 'vitest'
import { readLedger } from '../../infra/local/billing/audit.ts'
import { RIGHT, readBooks } from './audit.ts'
import { CARDS, dueNow, seed } from './customers.ts'
import { advance } from './emulator.ts'
import { type Leader, untilLeading } from './leading.ts'
import { logLines, tenuresOf } from './logs.ts'
import { until } from './poll.ts'
import { type DeployedStack, deployedStack, untilCompleted } from './stack.ts'

const emulator = inject('emulator')

describe.skipIf(emulator === undefined)('a leader whose process is killed in the middle of its tick', () => {
  if (emulator === undefined) return
  let stack: DeployedStack
  let tick: string
  let killed: Leader

  beforeAll(async () => {
    stack = await deployedStack(emulator)
    await seed(emulator, stack, [...dueNow('dies_soon', 10), ...dueNow('dies_late', 4, CARDS.late)])
    tick = await advance(emulator)
    killed = await untilLeading(emulator, stack, tick)
    // All it still waits for then are the late answers to charges that have been made.
    await until('the others to be in the ledger', async () => {
      const charges = await readLedger(stack.clients.dynamodb, stack.tables.charges)
      const seen = charges.filter(({ customer }) => customer.startsWith('dies_soon')).length
      return { done: seen === 10, seen }
    })
    process.kill(killed.pid, 'SIGKILL')
  })

  test('is followed by the retry of its own event, which completes the tick', async () => {
    const row = await untilCompleted(stack, tick)
    const tenures = tenuresOf(await logLines(stack)).filter((tenure) => tenure.tick === tick)
    expect(tenures).toEqual([
      { tick, fencingToken: killed.fencingToken },
      { tick, fencingToken: row.fencingToken },
    ])
    expect(row.eventId).toBe(killed.eventId)
  })

  test('leaves nothing charged twice, and nothing out', async () => {
    expect(await readBooks(emulator, stack, tick)).toMatchObject(RIGHT)
  })
})
