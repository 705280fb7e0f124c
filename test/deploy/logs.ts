/** The log of the billing function. */
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { until } from './program.ts'
import type { DeployedStack } from './stack.ts'

export interface LogLine {
  readonly message: string
  readonly [field: string]: unknown
}

export interface Tenure {
  readonly tick: string
  readonly fencingToken: number
}

/** All lines so far, in their order. Lambda's own lines have only a message. */
export async function logLines(
  { clients, logGroup }: DeployedStack,
  logGroupName = logGroup,
): Promise<readonly LogLine[]> {
  const lines: LogLine[] = []
  let nextToken: string | undefined
  do {
    const page = await clients.logs.send(new FilterLogEventsCommand({ logGroupName, nextToken }))
    for (const { message = '' } of page.events ?? []) {
      // A metric is JSON without a message.
      lines.push(message.startsWith('{') ? { message: '', ...JSON.parse(message) } : { message })
    }
    nextToken = page.nextToken
  } while (nextToken !== undefined)
  return lines
}

/** The tenures in which the task began, of one tick or of all. */
export function tenuresIn(lines: readonly LogLine[], ofTick?: string): Tenure[] {
  return lines
    .filter(({ message, tick }) => message === 'leading' && [undefined, tick].includes(ofTick))
    .map(({ tick, fencingToken }) => ({ tick: String(tick), fencingToken: Number(fencingToken) }))
}

/** The number of invocations, retries included. */
export function invocationsIn(lines: readonly LogLine[]): number {
  return lines.filter(({ message }) => message.startsWith('START RequestId: ')).length
}

/** Waits until the log contains this number of invocations. The emulator logs an invocation when it ends. */
export async function untilLogged(stack: DeployedStack, invocations: number): Promise<readonly LogLine[]> {
  const { lines } = await until(`${invocations} invocations in the log`, async () => {
    const lines = await logLines(stack)
    return { done: invocationsIn(lines) >= invocations, seen: { invocations: invocationsIn(lines), lines } }
  })
  return lines
}
