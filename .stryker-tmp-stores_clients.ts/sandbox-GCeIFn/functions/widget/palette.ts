/**
 * The colours, for a light and a dark page. Bars and marks stand out from the page by at least 3:1 and texts by 4.5:1,
 * as the tests compute: https://www.w3.org/TR/WCAG22/#contrast-minimum and #non-text-contrast.
 */
// @ts-nocheck

export type Palette = Readonly<Record<keyof typeof LIGHT, string>>

export const LIGHT = {
  text: '#16191f',
  muted: '#5a6472',
  /** Lines that only guide the eye. */
  line: '#d5dbdb',
  /** Text on a filled bar. */
  onBar: '#ffffff',
  leading: '#0b6bcb',
  completed: '#3f7f4f',
  continued: '#2f7d8c',
  failed: '#c22f2f',
  released: '#5a6472',
  takenOver: '#a35200',
  forced: '#7d4cc2',
  unknown: '#6b7480',
}

export const DARK: Palette = {
  text: '#e9ebed',
  muted: '#a4aebb',
  line: '#37424f',
  onBar: '#0f141a',
  leading: '#5aa9f5',
  completed: '#6fb583',
  continued: '#6cbccb',
  failed: '#f27d72',
  released: '#a4aebb',
  takenOver: '#e5a14b',
  forced: '#b99af0',
  unknown: '#98a2af',
}

export const THEMES = { light: LIGHT, dark: DARK } as const
export type Theme = keyof typeof THEMES

/** The light colours, each of which a page can replace by a custom property such as `--tenure-taken-over`. */
export const CUSTOM_PROPERTIES: Palette = {
  ...LIGHT,
  ...Object.fromEntries(Object.entries(LIGHT).map(([role, colour]) => [role, `var(${propertyOf(role)}, ${colour})`])),
}

export function propertyOf(role: string): string {
  return `--tenure-${role.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
