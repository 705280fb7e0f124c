import { describe, expect, test } from 'vitest'
import { leftOut, oneLine, printable } from '../../infra/programs/foreign-text.ts'

const ESC = '\u001b'

describe('what is printed of a foreign text', () => {
  test.each([
    ['colours', `${ESC}[1;31mred${ESC}[0m`, 'red'],
    ['a moved cursor', `a${ESC}[2Jb${ESC}[10;1Hc`, 'abc'],
    ['the title of the window', `${ESC}]0;owned\u0007text`, 'text'],
    ['a link', `${ESC}]8;;http://evil.example\u0007click${ESC}]8;;\u0007`, 'click'],
    ['sequences of one character', '\u009b31mred', 'red'],
    ['a sequence inside another', `${ESC}${ESC}[31m[32mred`, '\\u001b[32mred'],
    ['half a sequence', `red${ESC}`, 'red\\u001b'],
    ['a bell, a backspace and a NUL', 'a\u0007b\u0008c\u0000', 'a\\u0007b\\u0008c\\u0000'],
    ['a line written over', 'charged\rdeclined', 'charged\\u000ddeclined'],
    [
      'a turned direction of writing',
      'user\u202egnp.exe\u202c \u2066x\u2069',
      'user\\u202egnp.exe\\u202c \\u2066x\\u2069',
    ],
    ['other line separators', 'a\u2028b\u2029c\u0085d', 'a\\u2028b\\u2029c\\u0085d'],
    ['half a character', 'a\ud83d', 'a\ufffd'],
  ])('has no %s', (_, text, shown) => {
    expect(printable(text)).toBe(shown)
    // What is shown is fit to be shown again.
    expect(printable(shown)).toBe(shown)
  })

  test('is otherwise the text, in any language, with its lines and tabs', () => {
    const text = 'Zoë\tMüller 日本 👩‍👩‍👧\n\tشركة عربية\nnext'
    expect(printable(text)).toBe(text)
    expect(printable('a\r\nb')).toBe('a\nb')
  })

  test('is the beginning of a long one, and says how much is missing', () => {
    expect(printable('a'.repeat(3_000_000))).toBe(`${'a'.repeat(10_000)} … and 2,990,000 more characters`)
    expect(printable('abcdef', 4)).toBe('abcd … and 2 more characters')
    expect(printable('abcd', 4)).toBe('abcd')
  })

  test('does not end in half a character', () => {
    expect(printable('abc😀', 4)).toBe('abc\ufffd … and 1 more character')
  })

  test('in one line has no second one that could pass for ours', () => {
    expect(oneLine('it broke\n  ✓ Everything due was charged\n\n\tx')).toBe('it broke ✓ Everything due was charged x')
    expect(oneLine('  … indented')).toBe('  … indented')
  })

  test('says nothing of what is left out if nothing is', () => {
    expect([leftOut(0), leftOut(-1)]).toEqual(['', ''])
  })
})
