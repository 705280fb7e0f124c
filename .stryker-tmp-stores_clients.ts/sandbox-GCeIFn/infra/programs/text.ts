/** Text for people: other programs' text made printable, the last lines of a process, numbers and times. */
// @ts-nocheck

import type { Readable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'

/** In UTF-16 code units: enough for any message or line that a person reads. */
export const LONGEST_TEXT = 10_000

/**
 * Control characters except tab and line feed, characters that change the direction of text, and line separators.
 * Source: https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is searched for
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/**
 * Text from outside, safe to print: it cannot move the cursor, colour the terminal, set its title, change the direction
 * of text, or fill the screen. Terminal sequences are removed, other unprintable characters become `\u202e`.
 */
export function printable(text: string, most = LONGEST_TEXT): string {
  const kept = text.slice(0, most).toWellFormed().replaceAll('\r\n', '\n')
  return stripVTControlCharacters(kept).replace(UNPRINTABLE, escaped) + leftOut(text.length - most)
}

export const oneLine = (text: string, most?: number): string => printable(text, most).replace(/\s*\n\s*|\t/g, ' ')

/**
 * Lines of at most this width, broken at spaces; a longer word stays whole. Further lines are indented.
 * @param width undefined if the output is not a terminal: lines of a log are searched, and stay whole
 */
export function wrapped(text: string, width: number | undefined): string {
  if (width === undefined) return text
  const [start = ''] = /^ */.exec(text) ?? []
  const indent = `${start}    `
  const lines: string[] = []
  let line = start
  for (const word of text.slice(start.length).split(/(?<=\S)(?= )/)) {
    const isEmpty = line.trim() === ''
    if (isEmpty || stripVTControlCharacters(line + word).length <= width) line += isEmpty ? word.trimStart() : word
    else {
      lines.push(line)
      line = indent + word.trimStart()
    }
  }
  return [...lines, line].join('\n')
}

const leftOut = (characters: number): string =>
  characters > 0 ? ` … and ${characters.toLocaleString('en')} more character${characters === 1 ? '' : 's'}` : ''

export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`

export const grouped = (words: readonly string[]): string =>
  [...Map.groupBy(words, (word) => word)].map(([word, those]) => `${those.length} ${word}`).join(', ')

/** `0.84 s`, `6.0 s`. */
export const secondsOf = (ms: number): string => `${(ms / 1000).toFixed(ms < 1_000 ? 2 : 1)} s`

/** `2024-02-28 22:00Z` for a canonical instant. */
export const timeOf = (instant: string): string => `${instant.slice(0, 10)} ${instant.slice(11, 16)}Z`

/** Only the beginning of a line is kept: a process may write half a gigabyte without ending one. */
interface Line {
  text: string
  length: number
}

/** The last lines that a process wrote, printable; bounded, whatever it writes. */
export class LastLines {
  readonly #most: number
  #lines: Line[] = []
  /** The line that each stream has not ended yet. */
  readonly #open = new Map<Readable, Line>()

  /** @param most lines that are kept of all streams together */
  constructor(streams: readonly (Readable | null)[], most: number) {
    this.#most = most
    for (const stream of streams) if (stream !== null) this.#follow(stream)
  }

  #follow(stream: Readable): void {
    let endedWithReturn = false
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      // A line feed after a carriage return ends the same line, even in the next chunk.
      const news = endedWithReturn && chunk.startsWith('\n') ? chunk.slice(1) : chunk
      endedWithReturn = chunk.endsWith('\r')
      const lines = news.split(/\r\n|\n|\r/)
      const rest = lines.pop() ?? ''
      for (const line of lines) {
        this.#append(stream, line)
        this.#open.delete(stream)
      }
      if (rest !== '') this.#append(stream, rest)
    })
  }

  #append(stream: Readable, text: string): void {
    const line = this.#open.get(stream) ?? { text: '', length: 0 }
    if (!this.#open.has(stream) && this.#lines.push(line) > this.#most) this.#lines.shift()
    this.#open.set(stream, line)
    line.text += text.slice(0, LONGEST_TEXT - line.text.length)
    line.length += text.length
  }

  /** The oldest first; the last may not have ended yet. */
  read(): readonly string[] {
    return this.#lines.map(({ text, length }) => printable(text) + leftOut(length - text.length))
  }

  clear(): void {
    this.#lines = []
    this.#open.clear()
  }
}
