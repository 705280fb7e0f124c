/**
 * Markup that cannot be broken out of: whatever is put into the template is escaped, unless this template made it.
 *
 * Right for text, for attributes *in quotes*, and for SVG; not for script and style elements, nor for attributes without
 * quotes. URLs are not judged: let nobody else choose one.
 */
export type Content = Markup | string | number | undefined | readonly Content[]

// A class, and not an object with a mark: data from outside can look like any object, but cannot have a private field.
export class Markup {
  readonly #text: string

  private constructor(text: string) {
    this.#text = text
  }

  /** The template: html`<td>${text}</td>`. Undefined is nothing, a list is its members one after the other. */
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

/** Neither HTML nor XML may have them: C0 and C1 controls other than tab and line feed, and the two noncharacters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is these that must go
const FORBIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffe\uffff]/g
/** With these a name can make the text around it read backwards. */
const DIRECTION_OVERRIDES = /[\u202a-\u202e\u2066-\u2069]/g

function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(FORBIDDEN, '\ufffd')
    .replace(DIRECTION_OVERRIDES, '\ufffd')
    .replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? '')
}
