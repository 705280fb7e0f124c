// @ts-nocheck
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { html } from '../../functions/widget/html.ts'
import { structureOf } from './structure.ts'

const MARKUP = ['<', '>', '"', "'", '&', '`', '=', '/', '-->', '<!--', ']]>', 'script', ' on', '\0', '\r', '\ud800']

/** Any text, and texts that mean something to a parser. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.array(fc.constantFrom(...MARKUP)).map((parts) => parts.join('')),
)

test('No text adds an element or an attribute', () => {
  const structure = (text: string) =>
    structureOf(
      String(html`<p title="${text}" data-name='${text}'>${text}<b>${[text, html`<i>${text}</i>`]}</b></p>
        <svg role="img" aria-label="${text}"><title>${text}</title><text x="1">${text}</text></svg>`),
    )
  const harmless = structure('harmless')
  fc.assert(fc.property(anyText, (text) => void expect(structure(text)).toEqual(harmless)))
})

test('A parser decodes printable text as it was', () => {
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#96': '`' }
  const decoded = (text: string) =>
    text.replace(/&(amp|lt|gt|quot|#39|#96);/g, (_, name) => entities[String(name)] ?? '')
  const printable = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('&amp;', '&#39;'))
  fc.assert(fc.property(printable, (text) => void expect(decoded(String(html`${text}`))).toBe(text)))
})

test('The output has no character that HTML or XML forbids: no control character, no lone surrogate', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const out = String(html`${text}`)
      expect(out.isWellFormed()).toBe(true)
      expect(Array.from(out).filter((character) => /[^\P{Cc}\t\n]|[\ufffe\uffff]/u.test(character))).toEqual([])
    }),
  )
})

test.each([
  ['A text cannot change the direction of the text around it', html`${'a\u202eb\u2066c'}`, 'a\ufffdb\ufffdc'],
  ['Markup of the template is inserted unchanged', html`<ul>${html`<li>1</li>`}</ul>`, '<ul><li>1</li></ul>'],
  ['A list is its members, and undefined is nothing', html`${[1, 'a']}${undefined}`, '1a'],
])('%s', (_sentence, markup, text) => {
  expect(String(markup)).toBe(text)
})
