import type { Clock, ClockReading } from '../clock.ts'
import { isConditionFailed } from './dynamodb-errors.ts'
import type { AttributeMap } from './row.ts'

/** What became of one request's tries on the wire. */
export interface Wire {
  /** From the last try that was answered. */
  clockReading: ClockReading | undefined
  /** Some try got no answer, so that it may have been applied unseen. */
  unanswered: boolean
  /** The last try was answered; `undefined` if nothing was sent yet. */
  answered: boolean | undefined
  /** The input could be made a request. What fails after that, credentials say, is not the caller's input. */
  serialized: boolean
  /** The row that came with a failed condition. It is taken off the error, which layers of the caller may log. */
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

export function newWire(): Wire {
  return { clockReading: undefined, unanswered: false, answered: undefined, serialized: false, row: undefined }
}

/**
 * Notes in `wire` what becomes of each try of the command, inside the SDK's retry loop.
 *
 * @param options.showsRow leave the row on the error of a failed condition, since the caller asked for it
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
      // A 5xx to a write does not tell whether it was applied.
      if (statusCode >= 500) wire.unanswered = true
      else wire.answered = true
      isSuccess = statusCode < 300
      if (!Number.isNaN(dateMs)) wire.clockReading = { sentAtMs, dateMs, receivedAtMs }
      return result
    },
    // A document command shows its middleware twice, as its own and as that of the command inside it.
    { step: 'deserialize', priority: 'low', name: 'tenureObserveWire', override: true },
  )
  // The head of an answer comes before its body, which may be cut: then the client has learned nothing.
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
