/**
 * How the host and the runtime in an execution environment talk: JSON, a line for each message, on a pipe of their own.
 * Node has such a channel too, but a function may write to it, and a line that is not JSON then throws in the host, out
 * of reach of any `catch`.
 */
import type { Readable, Writable } from 'node:stream'

/** The runtime's end of the pipe. */
export const CHANNEL_FD = 3

/** In UTF-16 code units: twice the longest result, whose quotes and backslashes are escaped once more. */
const LONGEST_LINE = 16 * 1024 * 1024

export function send(channel: Writable | undefined, message: object): void {
  channel?.write(`${JSON.stringify(message)}\n`)
}

/** Passes on every line that ends, and the beginning of one that is too long, which is then no JSON object. */
export function onLine(channel: Readable | undefined, listener: (line: string) => void): void {
  let begun = ''
  channel?.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = chunk.split('\n')
    const last = lines.pop() ?? ''
    for (const line of lines) {
      listener(begun + line)
      begun = ''
    }
    begun += last
    if (begun.length <= LONGEST_LINE) return
    listener(begun)
    begun = ''
  })
}
