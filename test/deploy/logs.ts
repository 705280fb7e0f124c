/** What the billing function wrote into its log group. */
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { until } from './poll.ts'
import type { DeployedStack } from './stack.ts'

export interface LogLine {
  readonly message: string
  readonly [field: string]: unknown
}

export interface Tenure {
  readonly tick: string
  readonly fencingToken: number
}

/** All lines of the billing function so far, in their order. */
export const logLines = (stack: DeployedStack) => logLinesOf(stack, stack.logGroup)

/** All lines of any function. What the platform writes is the message alone. */
export async function logLinesOf({ clients }: DeployedStack, logGroupName: string): Promise<LogLine[]> {
  const lines: LogLine[] = []
  let nextToken: string | undefined
  do {
    const page = await clients.logs.send(new FilterLogEventsCommand({ logGroupName, nextToken }))
    lines.push(...(page.events ?? []).map(({ message = '' }) => lineOf(message)))
    nextToken = page.nextToken
  } while (nextToken !== undefined)
  return lines
}

function lineOf(message: string): LogLine {
  const line: unknown = message.startsWith('{') ? JSON.parse(message) : undefined
  if (typeof line !== 'object' || line === null) return { message }
  // A metric has none.
  return { ...line, message: 'message' in line && typeof line.message === 'string' ? line.message : '' }
}

/** Every tenure that began to work. */
export function tenuresOf(lines: readonly LogLine[]): Tenure[] {
  return lines.flatMap(({ message, tick, fencingToken }) =>
    message === 'leading' && typeof tick === 'string' && typeof fencingToken === 'number'
      ? [{ tick, fencingToken }]
      : [],
  )
}

/** How many invocations began, retries too. */
export function invocationsIn(lines: readonly LogLine[]): number {
  return lines.filter(({ message }) => message.startsWith('START RequestId: ')).length
}

/** An invocation is logged when it has ended: waits until there are so many. */
export async function untilLogged(stack: DeployedStack, invocations: number): Promise<readonly LogLine[]> {
  const { lines } = await until(`${invocations} invocations in the log`, async () => {
    const lines = await logLines(stack)
    return { done: invocationsIn(lines) >= invocations, seen: { invocations: invocationsIn(lines), lines } }
  })
  return lines
}
