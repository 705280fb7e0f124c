/** Finds the leader at work. */
import { type Invocation, invocations } from './emulator.ts'
import type { Emulator } from './environment.ts'
import { until } from './poll.ts'
import { type DeployedStack, leaseRow } from './stack.ts'

export interface Leader extends Invocation {
  readonly fencingToken: number
  /** The request id of the event that it leads for. */
  readonly eventId: string | undefined
}

/**
 * Waits until the tick has a leader and the other candidates have gone home, so that the one process of the function
 * that is still at work is the leader's.
 */
export async function untilLeading(emulator: Emulator, stack: DeployedStack, tick: string): Promise<Leader> {
  const { leader } = await until(`one process to lead the tick ${tick}`, async () => {
    const row = await leaseRow(stack)
    const working = (await invocations(emulator)).filter((each) => each.function === stack.functionName)
    const [only] = working
    const found = row?.tick === tick && row.holder !== undefined && working.length === 1 && only !== undefined
    const leader = found ? { ...only, fencingToken: row.fencingToken, eventId: row.eventId } : undefined
    return { done: found, seen: { row, working, leader } }
  })
  if (leader === undefined) throw new Error('There is no leader')
  return leader
}
