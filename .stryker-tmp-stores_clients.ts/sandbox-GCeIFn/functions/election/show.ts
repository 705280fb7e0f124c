/** How messages quote values from outside. */
// @ts-nocheck


/**
 * The beginning of a text, as JSON. Characters that JSON allows but that break lines or change the direction of text
 * are escaped too, so that a value cannot forge a log line.
 */
export function quoted(text: string, length = 60): string {
  const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
  return JSON.stringify(text.slice(0, length)).replace(
    hidden,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}

/** A value, short and on one line, without the contents of an object, which may be secret. Never throws. */
export function show(value: unknown): string {
  try {
    return shown(value)
  } catch {
    return 'an unreadable object' // a getter or a proxy threw
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (value === undefined) return 'missing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) {
    const made: unknown = value.constructor // JSON can contain a `constructor` of its own
    const type = typeof made === 'function' ? made.name : ''
    return /^[\w$]{1,60}$/.test(type) ? `an object of type ${type}` : 'an object'
  }
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`
  return String(value).slice(0, 60)
}
