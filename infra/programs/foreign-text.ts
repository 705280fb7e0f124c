/**
 * Text that others wrote (a function, DynamoDB, a file, the command line), made fit to print: it cannot move the
 * cursor, colour the terminal, set its title, turn the direction of writing round, or fill the screen.
 */
import { stripVTControlCharacters } from 'node:util'

/** In UTF-16 code units. Enough for any message or line that a person reads. */
export const LONGEST_TEXT = 10_000

/**
 * Control characters but tab and line feed; what turns the direction of writing round; separators that end a line.
 * Source: https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** The first `most` characters, without terminal sequences, and with what else cannot be printed as `\u202e`. */
export function printable(text: string, most = LONGEST_TEXT): string {
  const kept = text.slice(0, most).toWellFormed().replaceAll('\r\n', '\n')
  return stripVTControlCharacters(kept).replace(UNPRINTABLE, escaped) + leftOut(text.length - most)
}

/** The same in one line, whatever lines it has. */
export const oneLine = (text: string, most?: number): string => printable(text, most).replace(/\s*\n\s*|\t/g, ' ')

/** What is said of characters that are not shown; nothing if all are. */
export const leftOut = (characters: number): string =>
  characters > 0 ? ` … and ${characters.toLocaleString('en')} more character${characters === 1 ? '' : 's'}` : ''
