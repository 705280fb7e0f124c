/**
 * What the host and the runtime in an execution environment send each other: one line of JSON per message, on a pipe
 * of their own. Node's own IPC channel would not do: a function may write to it, and a line that is not JSON then
 * throws in the host, out of reach of any `catch`.
 */
// @ts-nocheck

import type { Readable, Writable } from 'node:stream'
import { property } from '../../../functions/election/json.ts'
import { oneLine, printable } from '../../programs/text.ts'

export interface InvokeMessage {
  readonly event: unknown
  readonly requestId: string
  readonly functionArn: string
  /** Epoch time after which the host kills the process. */
  readonly deadlineMs: number
  /** How far the wall clock of the invocation is ahead; negative: behind. */
  readonly clockSkewMs: number
}

/** To the host. The first one ends the initialization, every later one an invocation. */
export type RuntimeMessage =
  /** What the handler returned, as JSON; for the initialization, null. */
  { readonly kind: 'result'; readonly json: string } | { readonly kind: 'error'; readonly error: ErrorReport }

export interface ErrorReport {
  readonly errorType: string
  readonly errorMessage: string
  /** The stack, line by line; the first line repeats the message. */
  readonly trace?: readonly string[]
}

export const CHANNEL_FD = 3

/** In UTF-16 code units: twice the longest result, because its quotes and backslashes are escaped a second time. */
const LONGEST_MESSAGE = 16 * 1024 * 1024
const LONGEST_NAME = 200
const LONGEST_LINE = 1_000
const MOST_LINES = 100

export function send(channel: Writable | undefined, message: InvokeMessage | RuntimeMessage): void {
  channel?.write(`${JSON.stringify(message)}\n`)
}

/** Calls `listener` with every complete line, and with the beginning of a line that is too long (and thus not JSON). */
export function onLine(channel: Readable | undefined, listener: (line: string) => void): void {
  let begun = ''
  channel?.setEncoding('utf8').on('data', (chunk: string) => {
    const [end = '', ...lines] = chunk.split('\n')
    begun += end // not split again: a long line comes in many chunks
    for (const line of lines) {
      listener(begun)
      begun = line
    }
    if (begun.length <= LONGEST_MESSAGE) return
    listener(begun)
    begun = ''
  })
}

/** If this throws, the runtime's process ends, which the host reports. */
export function reportOf(thrown: unknown): ErrorReport {
  if (!(thrown instanceof Error)) return { errorType: typeof thrown, errorMessage: String(thrown) }
  const [errorType, errorMessage] = [String(thrown.name), String(thrown.message)]
  const frames = (thrown.stack ?? '').split('\n').filter((line) => /^\s*at /.test(line))
  return { errorType, errorMessage, trace: [`${errorType}: ${errorMessage}`, ...frames] }
}

/** The report as the host shows it: printable, whatever the function threw or wrote. Undefined if it is no report. */
export function receivedReport(value: unknown): ErrorReport | undefined {
  const [type, message, trace] = ['errorType', 'errorMessage', 'trace'].map((name) => property(value, name))
  if (typeof type !== 'string' || typeof message !== 'string') return undefined
  const report = { errorType: oneLine(type, LONGEST_NAME), errorMessage: printable(message) }
  if (!Array.isArray(trace)) return report
  return { ...report, trace: trace.slice(0, MOST_LINES + 1).map((line) => oneLine(String(line), LONGEST_LINE)) }
}
