// @ts-nocheck
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DARK, LIGHT, type Palette } from '../../functions/widget/palette.ts'
import { MARK_KINDS, OUTCOMES } from '../../functions/widget/timeline/input.ts'
import { renderLegend, renderMarkLegend } from '../../functions/widget/timeline/shapes.ts'
import { type Bar, type Lane, type Mark, renderTimeline, type Timeline } from '../../functions/widget/timeline.ts'
import { MINUTE, NOW } from './rows.ts'
import { isNested } from './structure.ts'

const bar = (changes: Partial<Bar> = {}): Bar => ({
  fromMs: NOW - 5 * MINUTE,
  toMs: NOW - 3 * MINUTE,
  label: '',
  outcome: 'completed',
  title: 'a tenure',
  ...changes,
})
const lane = (changes: Partial<Lane> = {}): Lane => ({ name: 'billing', bars: [], ...changes })
const draw = (changes: Partial<Timeline> = {}, palette?: Palette): string =>
  String(renderTimeline({ fromMs: NOW - 10 * MINUTE, toMs: NOW, nowMs: NOW, lanes: [], ...changes }, palette))
const drawBars = (...bars: readonly Bar[]): string => draw({ lanes: [lane({ bars })] })

/** The titles of lanes, bars and marks. */
const titles = (svg: string): readonly string[] =>
  Array.from(svg.matchAll(/<title>([^<]*)<\/title>/g), ([, title = '']) => title)
const numbers = (svg: string, attribute: string): readonly number[] =>
  Array.from(svg.matchAll(new RegExp(` ${attribute}="([^"]*)"`, 'g')), ([, value]) => Number(value))
const wordsOf = (markup: unknown) =>
  String(markup)
    .replaceAll(/<title>.*?<\/title>|<[^>]*>/g, ' ')
    .trim()
const texts = (svg: string): readonly string[] =>
  Array.from(svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g), ([, text = '']) => text)

test('Each bar in the window is drawn with its title; bars before and after it are not', () => {
  const svg = drawBars(
    bar({ title: 'long ago', fromMs: NOW - 60 * MINUTE, toMs: NOW - 50 * MINUTE }),
    bar({ title: 'reaches in', fromMs: NOW - 60 * MINUTE, toMs: NOW - 9 * MINUTE }),
    bar({ title: 'inside' }),
    bar({ title: 'future', fromMs: NOW + MINUTE, toMs: NOW + 2 * MINUTE }),
  )
  expect(titles(svg)).toEqual(['billing', 'reaches in', 'inside', 'now, 06:10 UTC'])
})

test('A tenure that lasts is drawn up to now, with a point', () => {
  const leading = bar({ toMs: undefined, outcome: 'leading' })
  const svg = draw({ toMs: NOW + 10 * MINUTE, lanes: [lane({ bars: [leading] })] })
  const [, now = ''] = /<path d="M([\d.]+) 15V/.exec(svg) ?? []
  expect(svg).toMatch(new RegExp(`L${now.replace('.', '\\.')} [\\d.]+L`))
})

test('A joint is drawn in its bar with a title of its own, unless it lies outside of the window', () => {
  const joints = [11, 4].map((minutes) => ({ atMs: NOW - minutes * MINUTE, title: `handed over ${minutes} min ago` }))
  expect(titles(drawBars(bar({ fromMs: NOW - 12 * MINUTE, joints })))).toEqual([
    ...['billing', 'a tenure', 'handed over 4 min ago', 'now, 06:10 UTC'],
  ])
})

test('A bar of a millisecond is visible, and inside the picture if it begins at the end of the window', () => {
  const [width = 0] = numbers(drawBars(bar({ toMs: NOW - 5 * MINUTE + 1 })), 'width').slice(1)
  expect(width).toBeGreaterThanOrEqual(5)
  const [, x, last] =
    /<rect x="([\d.]+)"[^>]* width="([\d.]+)"/.exec(drawBars(bar({ fromMs: NOW, toMs: NOW + 1 }))) ?? []
  expect(Number(x) + Number(last)).toBe(790)
})

test('Bars that overlap lie in different rows, and the lane grows', () => {
  const [one, two] = [drawBars(bar()), drawBars(bar(), bar({ fromMs: NOW - 4 * MINUTE }))]
  const height = (svg: string) => numbers(svg, 'height')[0] ?? 0
  expect(height(two)).toBeGreaterThan(height(one))
  expect(new Set(numbers(two, 'y').slice(1, 3)).size).toBe(2)
})

test('The first mark and as many overlapping bars as there are spare rows do not change the height', () => {
  const heightOf = (bars: number, marks: readonly Mark[]) =>
    numbers(
      draw({ lanes: [lane({ bars: Array.from({ length: bars }, () => bar()), marks })], spareRows: 2 }),
      'height',
    )[0]
  const mark = { atMs: NOW - MINUTE, kind: 'tick', title: '' } as const
  expect(heightOf(0, [])).toBeGreaterThan(0)
  expect(heightOf(3, [mark])).toBe(heightOf(0, []))
})

test('A bar that begins where another ends lies behind it in the same row', () => {
  const svg = drawBars(bar({ toMs: NOW - 3 * MINUTE }), bar({ fromMs: NOW - 3 * MINUTE, toMs: NOW }))
  const rects = svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"/g)
  const [[, x = 0, y, width = 0] = [], [, nextX, nextY] = []] = [...rects].map((found) => found.map(Number))
  expect(nextY).toBe(y)
  expect(x + width).toBeLessThan(nextX ?? 0)
})

test('Ten thousand tenures are drawn as a few bars, and the most urgent outcome stays visible', () => {
  const bars = Array.from({ length: 10_000 }, (_, index) => {
    const fromMs = NOW - 10 * MINUTE + index * 60
    return bar({ id: String(index), fromMs, toMs: fromMs + 50, outcome: index === 5_000 ? 'failed' : 'completed' })
  })
  const svg = drawBars(...bars)
  expect(titles(svg).length).toBeLessThan(150)
  expect(titles(svg).filter((title) => /tenures: 1 failed, \d+ completed/.test(title))).toHaveLength(1)
  expect(svg).toContain(LIGHT.failed)
  expect(svg).not.toContain('data-bar')
})

test('Ten thousand marks of one kind are drawn as a few marks that say how many they are', () => {
  const marks = Array.from({ length: 10_000 }, (_, index) => {
    return { atMs: NOW - 10 * MINUTE + index * 60, kind: 'accepted' as const, title: `write ${index}` }
  })
  const drawn = titles(draw({ lanes: [lane({ marks })] }))
  expect(drawn.length).toBeLessThan(150)
  expect(drawn).toContainEqual(expect.stringMatching(/^write \d+\nand \d+ more of this kind$/))
})

test('Outcomes and marks differ without colour, on long bars and on short ones', () => {
  const grey = Object.fromEntries(Object.keys(LIGHT).map((name) => [name, '#777777']))
  const shape = (changes: Partial<Lane>) =>
    draw({ lanes: [lane(changes)] }, { ...LIGHT, ...grey }).replace(/aria-label="[^"]*"/, '')
  for (const toMs of [NOW - 3 * MINUTE, NOW - 5 * MINUTE + 1]) {
    const shapes = OUTCOMES.map((outcome) => shape({ bars: [bar({ toMs, outcome })] }))
    // Only a bar without an end shows that its tenure is leading.
    expect(new Set(shapes).size).toBe(OUTCOMES.length - 1)
    const leading = shape({ bars: [bar({ toMs: undefined, outcome: 'leading' })] })
    expect(leading).not.toBe(shape({ bars: [bar({ toMs: NOW, outcome: 'completed' })] }))
  }
  const marks = MARK_KINDS.map((kind) => shape({ marks: [{ atMs: NOW - MINUTE, kind, title: '' }] }))
  expect(new Set(marks).size).toBe(MARK_KINDS.length)
})

const label = 'BillingStack-Billing'
test.each([
  ['A label is written on its bar', NOW - 2 * MINUTE, NOW - 2 * MINUTE, [label]],
  ['A label is written behind a bar that is too short', NOW - 4 * MINUTE, NOW - MINUTE, [label]],
  ['A label that fits nowhere is cut', NOW - 4 * MINUTE, NOW - 3 * MINUTE, [expect.stringMatching(/^Billing.*…$/)]],
  ['A very short bar has no label', NOW - 4.8 * MINUTE, NOW - 4 * MINUTE, []],
])('%s', (_sentence, toMs, nextMs, expected) => {
  const drawn = texts(drawBars(bar({ label, toMs }), bar({ fromMs: nextMs, toMs: NOW })))
  expect(drawn.filter((text) => text.startsWith('Bill'))).toEqual(expected)
})

test('A label does not leave the picture, and a bar has its id, for clicks', () => {
  const svg = drawBars(bar({ label, fromMs: NOW - MINUTE, toMs: NOW, id: '"7"' }))
  expect(texts(svg)).not.toContain(label)
  expect(svg).toContain('<g data-bar="&quot;7&quot;">')
})

test('A lane without bars shows a text, and the line is dotted before the lane is known', () => {
  expect(texts(draw({ lanes: [lane({ empty: 'No tenure yet' })] }))).toContain('No tenure yet')
  const dotted = 'stroke-dasharray="1 5"'
  expect(draw({ lanes: [lane({ bars: [bar()], knownFromMs: NOW - 6 * MINUTE })] })).toContain(dotted)
  expect(drawBars(bar())).not.toContain(dotted)
  expect(draw({ lanes: [lane({ bars: [bar()], knownFromMs: Number.NaN })] })).toBe(drawBars(bar()))
})

test.each([
  [10 * MINUTE, 800, ['06:00', '21 Nov UTC', '06:02', '06:04', '06:06', '06:08', '06:10']],
  [24 * 60 * MINUTE, 400, ['12:00', '20 Nov UTC', '18:00', '00:00', '21 Nov', '06:00']],
  [100, 400, ['06:09:59.900', '21 Nov UTC', '06:09:59.950', '06:10:00.000']],
  [20 * 24 * 60 * MINUTE, 400, ['2 Nov', 'UTC', '9 Nov', '16 Nov']],
  [1000 * 24 * 60 * MINUTE, 400, ['28 Oct 2024', 'UTC', '27 Oct 2025', '26 Oct 2026']],
])('The axis of a window of %d ms, %d pixels wide, has round times in UTC', (lengthMs, width, expected) => {
  expect(texts(draw({ fromMs: NOW - lengthMs, width })).filter((text) => text !== 'now')).toEqual(expected)
})

test('Screen readers read what the picture shows', () => {
  const bars = [bar(), bar({ outcome: 'failed', fromMs: NOW - 9 * MINUTE, toMs: NOW - 8 * MINUTE })]
  const window = '21 Nov 2026 06:00:00 to 21 Nov 2026 06:10:00 UTC'
  const description = `Tenures: billing; ${window}; 1 completed, 1 failed`
  expect(draw({ name: 'Tenures', lanes: [lane({ bars })] })).toContain(`role="img" aria-label="${description}"`)
})

test('Names stand beside the lanes, or above them in a narrow picture', () => {
  const height = (width: number) => numbers(draw({ width, lanes: [lane(), lane()] }), 'height')[0] ?? 0
  expect(height(400)).toBeGreaterThan(height(800))
})

test('The legend explains what occurs, and nothing else', () => {
  expect(wordsOf(renderLegend(['failed', 'completed', 'failed'], DARK))).toMatch(/^completed\s+failed$/)
  expect(wordsOf(renderMarkLegend(['refused', 'tick', 'refused'], DARK))).toMatch(/^tick\s+effect refused$/)
})

const anyMs = fc.oneof(
  fc.integer({ min: NOW - 20 * MINUTE, max: NOW + 5 * MINUTE }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -1, 8.64e15, -8.64e15, 1e300),
  fc.double(),
)
const maybeMs = fc.option(anyMs, { nil: undefined })

function anyTimeline(): fc.Arbitrary<Timeline> {
  const text = fc.string({ unit: 'binary' })
  const outcome = fc.constantFrom(...OUTCOMES)
  const bars = fc.array(fc.record({ fromMs: anyMs, toMs: maybeMs, label: text, title: text, outcome }), {
    maxLength: 6,
  })
  const mark = fc.record({ atMs: anyMs, kind: fc.constantFrom(...MARK_KINDS), title: text })
  const marks = fc.array(mark, { maxLength: 4 })
  const lanes = fc.array(fc.record({ name: text, empty: text, knownFromMs: maybeMs, bars, marks }), { maxLength: 3 })
  const width = fc.oneof(fc.integer({ min: -10, max: 2000 }), fc.double())
  return fc.record({ name: text, fromMs: anyMs, toMs: anyMs, nowMs: anyMs, width, lanes })
}

test('Whatever the data, the picture is well formed, has a place for everything, and contains all of it', () => {
  fc.assert(
    fc.property(anyTimeline(), (timeline) => {
      const svg = String(renderTimeline(timeline, DARK))
      expect(isNested(svg)).toBe(true)
      const attributes = svg.replaceAll(/aria-label="[^"]*"|>[^<]*</g, '')
      expect(attributes).not.toMatch(/NaN|Infinity|undefined|e[+-]\d/)
      const [width = 0] = numbers(svg, 'width')
      expect(numbers(svg, 'x').filter((x) => !(x >= -5 && x <= width))).toEqual([])
    }),
  )
})
