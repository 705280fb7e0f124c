import type { UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { Clock, ClockReading } from '../clock.ts'

/** What became of one command's tries on the wire. */
export interface Wire {
  /** From the last try that was answered. */
  clockReading: ClockReading | undefined
  /** Whether some try got no answer, so that it may have been granted unseen. */
  unanswered: boolean
}

/** Watches each try of the SDK on the wire, inside its retry loop. */
export function observeWire(command: UpdateItemCommand, clock: Clock): Wire {
  const wire: Wire = { clockReading: undefined, unanswered: false }
  command.middlewareStack.add(
    (next) => async (args) => {
      const sentAtMs = clock.wallMs()
      const result = await next(args).catch((error: unknown) => {
        wire.unanswered = true
        throw error
      })
      const receivedAtMs = clock.wallMs()
      const { statusCode, dateMs } = headOf(result.response)
      // A 5xx to a write does not tell whether it was applied.
      if (statusCode >= 500) wire.unanswered = true
      if (!Number.isNaN(dateMs)) wire.clockReading = { sentAtMs, dateMs, receivedAtMs }
      return result
    },
    { step: 'deserialize', priority: 'low', name: 'tenureObserveWire' },
  )
  return wire
}

function headOf(response: unknown): { readonly statusCode: number; readonly dateMs: number } {
  const { statusCode, headers }: Record<string, unknown> = typeof response === 'object' ? { ...response } : {}
  const { date }: Record<string, unknown> = typeof headers === 'object' ? { ...headers } : {}
  return { statusCode: Number(statusCode), dateMs: Date.parse(String(date)) }
}
