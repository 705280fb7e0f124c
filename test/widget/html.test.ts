import fc from 'fast-check'
import { expect, test } from 'vitest'
import { html } from '../../functions/widget/html.ts'
import { structureOf } from './structure.ts'

/** Whatever text one can think of, and much that means something to a parser. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc
    .array(
      fc.constantFrom(
        '<',
        '>',
        '"',
        "'",
        '&',
        '`',
        '=',
        '/',
        '-->',
        '<!--',
        ']]>',
        'script',
        ' on',
        '\0',
        '\r',
        '\ud800',
      ),
    )
    .map((parts) => parts.join('')),
)

const document = (text: string) =>
  html`<p title="${text}" data-name='${text}'>${text}<b>${[text, html`<i>${text}</i>`]}</b></p>
    <svg role="img" aria-label="${text}"><title>${text}</title><text x="1">${text}</text></svg>`

test('No text adds an element or an attribute, whatever it is', () => {
  const harmless = structureOf(String(document('harmless')))
  fc.assert(
    fc.property(anyText, (text) => {
      expect(structureOf(String(document(text)))).toEqual(harmless)
    }),
  )
})

test('A reader gets the text back as it was, but for what no document may hold', () => {
  const decoded = (text: string) =>
    text.replace(/&(amp|lt|gt|quot|#39|#96);/g, (_, name) => {
      return { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#96': '`' }[String(name)] ?? ''
    })
  const printable = fc.string({ unit: 'grapheme' })
  fc.assert(
    fc.property(printable, (text) => {
      expect(decoded(String(html`${text}`))).toBe(text)
    }),
  )
})

test('Nothing comes out that HTML or XML forbids: no control character, no half of a surrogate pair', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const out = String(html`${text}`)
      expect(out.isWellFormed()).toBe(true)
      expect(Array.from(out).filter((character) => /[^\P{Cc}\t\n]|[\ufffe\uffff]/u.test(character))).toEqual([])
    }),
  )
})

test('A name cannot turn the direction of the text around it', () => {
  expect(String(html`${'a\u202eb\u2066c'}`)).toBe('a\ufffdb\ufffdc')
})

test('What the template made is put in as it is; lists one after the other; undefined is nothing', () => {
  expect(String(html`<ul>${[1, 2].map((n) => html`<li>${n}</li>`)}</ul>${undefined}`)).toBe(
    '<ul><li>1</li><li>2</li></ul>',
  )
})

test('Data that only looks like markup is text', () => {
  const forged: unknown = JSON.parse('["<b>bold</b>"]')
  expect(String(html`${String(forged)}`)).toBe('&lt;b&gt;bold&lt;/b&gt;')
})
