// @ts-nocheck
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { LastLines, oneLine, printable, wrapped } from '../../infra/programs/text.ts'

const ESC = '\u001b'

describe('printable text', () => {
  test.each([
    ['colours', `${ESC}[1;31mred${ESC}[0m`, 'red'],
    ['the title of the window', `${ESC}]0;owned\u0007text`, 'text'],
    ['sequences of one character', '\u009b31mred', 'red'],
    ['a sequence inside another', `${ESC}${ESC}[31m[32mred`, '\\u001b[32mred'],
    ['a line written over', 'charged\rdeclined', 'charged\\u000ddeclined'],
    ['a turned direction of writing', 'user\u202egnp.exe \u2066x', 'user\\u202egnp.exe \\u2066x'],
    ['half a character', 'a\ud83d', 'a\ufffd'],
  ])('has no %s', (_, text, shown) => {
    expect(printable(text)).toBe(shown)
    expect(printable(shown)).toBe(shown) // stays as it is
  })

  test('keeps text in any language, lines and tabs', () => {
    const text = 'Zoë\tMüller 日本 👩‍👩‍👧\n\tشركة عربية\nnext'
    expect(printable(text)).toBe(text)
    expect(printable('a\r\nb')).toBe('a\nb')
  })

  test('is cut when it is long, with a note of how much is missing', () => {
    expect(printable('a'.repeat(3_000_000))).toBe(`${'a'.repeat(10_000)} … and 2,990,000 more characters`)
    expect(printable('abcdef', 4)).toBe('abcd … and 2 more characters')
    expect(printable('abcd', 4)).toBe('abcd')
    expect(printable('abc😀', 4)).toBe('abc\ufffd … and 1 more character') // not half of it
  })

  test('on one line has no second line that looks like ours', () => {
    expect(oneLine('it broke\n  ✓ Everything due was charged\n\n\tx')).toBe('it broke ✓ Everything due was charged x')
    expect(oneLine('  … indented')).toBe('  … indented')
  })
})

/** The lines that are kept of a process that writes these chunks. */
async function linesOf(chunks: readonly (string | Buffer)[], most = 5) {
  const stream = new PassThrough()
  const lines = new LastLines([stream, null], most)
  for (const chunk of chunks) stream.write(chunk)
  stream.end()
  await new Promise((resolve) => stream.once('end', resolve))
  return lines.read()
}

describe('the last lines', () => {
  test.each([
    ['over several chunks', ['a', 'b\nc', 'd\n'], ['ab', 'cd']],
    ['that has not ended yet', ['a\nb'], ['a', 'b']],
    ['ended by a carriage return, a line feed or both', ['a\rb\r\nc\nd'], ['a', 'b', 'c', 'd']],
    ['whose end is in two chunks', ['a\r', '\nb\r', '\r', '\nc'], ['a', 'b', '', 'c']],
    ['whose sequence is in two chunks', ['\u001b[3', '1mred\n'], ['red']],
    ['beyond the number that is kept', ['1\n2\n3\n4\n5\n6\n7'], ['3', '4', '5', '6', '7']],
  ])('are what was written: a line %s', async (_, chunks, lines) => {
    expect(await linesOf(chunks)).toEqual(lines)
  })

  test('keep only the beginning of a line of half a gigabyte', () => {
    const stream = new PassThrough()
    const lines = new LastLines([stream], 5)
    const megabyte = 'a'.repeat(1024 * 1024)
    for (let chunk = 0; chunk < 600; chunk += 1) stream.emit('data', megabyte)
    const [line = '', ...more] = lines.read()
    expect(more).toEqual([])
    expect(line.length).toBeLessThan(10_100)
    expect(line).toMatch(/^a{10000} … and 629,135,600 more characters$/)
  })

  test('are those of all streams together; a line of one goes on after the other writes', async () => {
    const [out, error] = [new PassThrough(), new PassThrough()]
    const lines = new LastLines([out, error], 5)
    out.emit('data', 'one ')
    error.emit('data', 'two\n')
    out.emit('data', 'more\n')
    expect(lines.read()).toEqual(['one more', 'two'])
  })

  test('can be cleared, the line that has not ended too', () => {
    const stream = new PassThrough()
    const lines = new LastLines([stream], 5)
    stream.emit('data', 'old\nhalf a li')
    lines.clear()
    stream.emit('data', 'ne\nnew')
    expect(lines.read()).toEqual(['ne', 'new'])
  })
})

test('a text is wrapped at spaces within the width, colours not counted, and a longer word stays whole', () => {
  expect(wrapped('  one two  three four', 12)).toBe('  one two\n      three\n      four')
  expect(wrapped('\u001b[33mone\u001b[39m two', 7)).toBe('\u001b[33mone\u001b[39m two')
  expect(wrapped('a https://example.com/long b', 8)).toBe('a\n    https://example.com/long\n    b')
  expect(wrapped('', 80)).toBe('')
  expect(wrapped('x '.repeat(99), undefined)).toBe('x '.repeat(99))
})
