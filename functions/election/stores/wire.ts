import type { Clock, ClockReading } from '../clock.ts'
import { isConditionFailed } from './dynamodb-errors.ts'
import type { AttributeMap } from './row.ts'

/** What happened to the tries of one request on the wire. */
export class Wire {
  /** From the last try that was answered. */
  clockReading: ClockReading | undefined
  /** A try got no answer: it may have been applied. */
  unanswered = false
  /** The last try was answered. */
  answered = false
  /** The SDK could make a request of the input: a later failure, such as credentials, is not about it. */
  serialized = false
  /** The row that came with a failed condition. It is removed from the error, which the caller's middleware may log. */
  row: AttributeMap | undefined
}

type Handler = (args: never) => Promise<{ readonly response: unknown }>

type Place<Step> = { step: Step; priority: 'low' | 'high'; name: string; override: true }

/** A command of either client, of any version of the SDK. */
export interface Observed {
  readonly middlewareStack: {
    add(middleware: (next: Handler) => Handler, place: Place<'build'>): unknown
    add(middleware: (next: Handler) => Handler, place: Place<'deserialize'>): unknown
  }
}

/**
 * Records in `wire` what happens to each try of the command, inside the SDK's retry loop.
 * @param options.showsRow whether the row stays on the error of a failed condition, because the caller requested it
 */
export function observeWire<C extends Observed>(command: C, clock: Clock, wire: Wire, { showsRow = false } = {}): C {
  let isSuccess = false
  command.middlewareStack.add(
    (next) => async (args: never) => {
      wire.serialized = true
      return await next(args)
    },
    { step: 'build', priority: 'high', name: 'tenureObserveRequest', override: true },
  )
  command.middlewareStack.add(
    (next) => async (args: never) => {
      const sentAtMs = clock.wallMs()
      wire.answered = false
      wire.row = undefined
      isSuccess = false
      const result = await next(args).catch((error: unknown) => {
        wire.unanswered = true
        throw error
      })
      const receivedAtMs = clock.wallMs()
      const { statusCode, dateMs } = headOf(result.response)
      // After a 5xx, a write may have been applied.
      if (statusCode >= 500) wire.unanswered = true
      else wire.answered = true
      isSuccess = statusCode < 300
      if (!Number.isNaN(dateMs)) wire.clockReading = { sentAtMs, dateMs, receivedAtMs }
      return result
    },
    // A document command adds its middleware twice, for itself and for the command inside it.
    { step: 'deserialize', priority: 'low', name: 'tenureObserveWire', override: true },
  )
  // The body of an answer may be cut off after its head: then the client has no answer.
  command.middlewareStack.add(
    (next) => async (args: never) =>
      await next(args).catch((error: unknown) => {
        if (isSuccess) Object.assign(wire, { unanswered: true, answered: false })
        if (isConditionFailed(error)) {
          wire.row = error.Item
          if (!showsRow) Reflect.deleteProperty(error, 'Item')
        }
        throw error
      }),
    { step: 'deserialize', priority: 'high', name: 'tenureObserveBody', override: true },
  )
  return command
}

function headOf(response: unknown): { readonly statusCode: number; readonly dateMs: number } {
  const { statusCode, headers }: Record<string, unknown> = typeof response === 'object' ? { ...response } : {}
  const { date }: Record<string, unknown> = typeof headers === 'object' ? { ...headers } : {}
  return { statusCode: Number(statusCode), dateMs: Date.parse(String(date)) }
}
