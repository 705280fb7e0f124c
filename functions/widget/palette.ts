/**
 * The colours, for a light and a dark page. Bars and marks stand out from the page by at least 3:1 and texts by 4.5:1,
 * which the tests compute: https://www.w3.org/TR/WCAG22/#contrast-minimum and #non-text-contrast.
 */
export interface Palette {
  readonly text: string
  /** Of second importance, still a text. */
  readonly muted: string
  /** Lines that only guide the eye. */
  readonly line: string
  /** What is written on a filled bar. */
  readonly onBar: string
  readonly leading: string
  readonly completed: string
  readonly failed: string
  readonly released: string
  readonly takenOver: string
  readonly forced: string
  readonly unknown: string
}

export const LIGHT: Palette = {
  text: '#16191f',
  muted: '#5a6472',
  line: '#d5dbdb',
  onBar: '#ffffff',
  leading: '#0b6bcb',
  completed: '#3f7f4f',
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
  failed: '#f27d72',
  released: '#a4aebb',
  takenOver: '#e5a14b',
  forced: '#b99af0',
  unknown: '#98a2af',
}

export const THEMES = { light: LIGHT, dark: DARK } as const

/** The light colours, each of which a page can set anew, for both its themes: `--tenure-leading` and so on. */
export const CUSTOM_PROPERTIES: Palette = {
  text: 'var(--tenure-text, #16191f)',
  muted: 'var(--tenure-muted, #5a6472)',
  line: 'var(--tenure-line, #d5dbdb)',
  onBar: 'var(--tenure-on-bar, #ffffff)',
  leading: 'var(--tenure-leading, #0b6bcb)',
  completed: 'var(--tenure-completed, #3f7f4f)',
  failed: 'var(--tenure-failed, #c22f2f)',
  released: 'var(--tenure-released, #5a6472)',
  takenOver: 'var(--tenure-taken-over, #a35200)',
  forced: 'var(--tenure-forced, #7d4cc2)',
  unknown: 'var(--tenure-unknown, #6b7480)',
}
