/** The last lines that a process has written, fit to print; bounded, whatever it writes. */
import type { Readable } from 'node:stream'
import { LONGEST_TEXT, leftOut, printable } from './foreign-text.ts'

export interface LastLines {
  /** The oldest first; the last may not have ended yet. */
  read(): readonly string[]
  /** Forgets them. */
  clear(): void
}

/** A line, of which the beginning alone is kept: a process may write half a gigabyte without ending one. */
interface Line {
  text: string
  length: number
}

/** @param most lines that are kept of all streams together */
export function lastLines(streams: readonly (Readable | null)[], most: number): LastLines {
  let lines: Line[] = []
  /** Lets go of the lines that each stream has begun. */
  const resets: (() => void)[] = []

  for (const stream of streams) {
    let open: Line | undefined
    let endedWithReturn = false
    const append = (text: string) => {
      if (open === undefined) {
        open = { text: '', length: 0 }
        if (lines.push(open) > most) lines.shift()
      }
      open.text += text.slice(0, LONGEST_TEXT - open.text.length)
      open.length += text.length
    }
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      // A line feed right behind a carriage return ends the same line, even in the next chunk.
      const news = endedWithReturn && chunk.startsWith('\n') ? chunk.slice(1) : chunk
      endedWithReturn = chunk.endsWith('\r')
      const parts = news.split(/\r\n|\n|\r/)
      for (const [index, part] of parts.entries()) {
        const isLast = index === parts.length - 1
        if (part !== '' || !isLast) append(part)
        if (!isLast) open = undefined
      }
    })
    resets.push(() => {
      open = undefined
    })
  }

  return {
    read: () => lines.map(({ text, length }) => printable(text) + leftOut(length - text.length)),
    clear: () => {
      lines = []
      for (const reset of resets) reset()
    },
  }
}
