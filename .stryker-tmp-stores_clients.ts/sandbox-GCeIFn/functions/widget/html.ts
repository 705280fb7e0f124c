/**
 * Auto-escaping HTML template: html`<td>${text}</td>`. It escapes all contents except markup that it made itself.
 *
 * It is safe for text, for attributes *in quotes*, and for SVG; not for script and style elements, nor for attributes
 * without quotes. It does not check URLs: never insert one that comes from outside.
 */
// @ts-nocheck


/** Undefined becomes nothing, a list its members one after the other. */
export type Content = Markup | string | number | undefined | readonly Content[]

// A class, since untrusted data can look like any plain object, but cannot have a private field.
export class Markup {
  readonly #text: string

  private constructor(text: string) {
    this.#text = text
  }

  static readonly html = (fixed: TemplateStringsArray, ...contents: readonly Content[]): Markup =>
    new Markup(fixed.reduce((text, part, index) => text + Markup.#render(contents[index - 1]) + part))

  static #render(content: Content): string {
    if (content === undefined) return ''
    if (content instanceof Markup) return content.#text
    if (typeof content === 'string' || typeof content === 'number') return escaped(String(content))
    return content.map((member) => Markup.#render(member)).join('')
  }

  toString(): string {
    return this.#text
  }
}

export const { html } = Markup

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

/** Forbidden in HTML or XML: C0 and C1 controls other than tab and line feed, and two noncharacters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are replaced
const FORBIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffe\uffff]/g
/** A name with one of these can make the text around it read backwards. */
const DIRECTION_OVERRIDES = /[\u202a-\u202e\u2066-\u2069]/g

function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(FORBIDDEN, '\ufffd')
    .replace(DIRECTION_OVERRIDES, '\ufffd')
    .replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? '')
}
