// @ts-nocheck
import { expect, test } from 'vitest'
import { DARK, LIGHT, type Palette } from '../../functions/widget/palette.ts'
import { OUTCOMES } from '../../functions/widget/timeline/input.ts'

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(one: string, other: string): number {
  const luminance = (colour: string) => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5]
      .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

const PAGES: readonly (readonly [string, Palette, readonly string[]])[] = [
  ['light', LIGHT, ['#ffffff', '#f6f8fa']],
  ['dark', DARK, ['#000000', '#0f1b2a', '#161d26', '#1f2733']],
]

test.each(PAGES)('On a %s page texts have a contrast of 4.5:1 and bars of 3:1', (_, palette, backgrounds) => {
  for (const outcome of ['leading', 'completed', 'failed', 'forced'] as const) {
    expect(contrast(palette.onBar, palette[outcome]), `text on ${outcome}`).toBeGreaterThanOrEqual(4.5)
  }
  for (const background of backgrounds) {
    for (const name of ['text', 'muted'] as const) {
      expect(contrast(palette[name], background), `${name} on ${background}`).toBeGreaterThanOrEqual(4.5)
    }
    for (const outcome of OUTCOMES) {
      expect(contrast(palette[outcome], background), `${outcome} on ${background}`).toBeGreaterThanOrEqual(3)
    }
  }
})
