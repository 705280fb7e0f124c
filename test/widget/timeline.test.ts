import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DARK, LIGHT, type Palette } from '../../functions/widget/palette.ts'
import { MARK_KINDS, OUTCOMES } from '../../functions/widget/timeline/input.ts'
import { renderLegend, renderMarkLegend } from '../../functions/widget/timeline/legend.ts'
import { type Bar, type Lane, renderTimeline, type Timeline } from '../../functions/widget/timeline.ts'
import { isNested, structureOf } from './structure.ts'

const NOW = Date.parse('2026-11-21T06:10:00.000Z')
const MINUTE = 60_000

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

/** The titles of what is drawn, one per bar or mark. */
const titles = (svg: string): readonly string[] =>
  Array.from(svg.matchAll(/<title>([^<]*)<\/title>/g), ([, title = '']) => title)
const numbers = (svg: string, attribute: string): readonly number[] =>
  Array.from(svg.matchAll(new RegExp(` ${attribute}="([^"]*)"`, 'g')), ([, value]) => Number(value))
const texts = (svg: string): readonly string[] =>
  Array.from(svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g), ([, text = '']) => text)

describe('What is drawn', () => {
  test('Each bar in the window has its title; those before and after it are left out', () => {
    const svg = drawBars(
      bar({ title: 'long gone', fromMs: NOW - 60 * MINUTE, toMs: NOW - 50 * MINUTE }),
      bar({ title: 'reaches in', fromMs: NOW - 60 * MINUTE, toMs: NOW - 9 * MINUTE }),
      bar({ title: 'inside' }),
      bar({ title: 'to come', fromMs: NOW + MINUTE, toMs: NOW + 2 * MINUTE }),
    )
    expect(titles(svg)).toEqual(['billing', 'reaches in', 'inside', 'now, 06:10 UTC'])
  })

  test('A tenure that still lasts is drawn up to now, with a point', () => {
    const svg = draw({
      toMs: NOW + 10 * MINUTE,
      lanes: [lane({ bars: [bar({ toMs: undefined, outcome: 'leading' })] })],
    })
    const [, now = ''] = /<path d="M([\d.]+) 15V/.exec(svg) ?? []
    expect(svg).toMatch(new RegExp(`L${now.replace('.', '\\.')} [\\d.]+L`))
  })

  test('A bar of a millisecond is still wide enough to be seen', () => {
    const [width = 0] = numbers(drawBars(bar({ toMs: NOW - 5 * MINUTE + 1 })), 'width').slice(1)
    expect(width).toBeGreaterThanOrEqual(5)
  })

  test('One that begins at the end of the window still lies inside of it', () => {
    const svg = drawBars(bar({ fromMs: NOW, toMs: NOW + 1 }))
    const [, x, width] = /<rect x="([\d.]+)"[^>]* width="([\d.]+)"/.exec(svg) ?? []
    expect(Number(x) + Number(width)).toBe(790)
  })

  test('Bars that overlap lie in rows of their own, and the lane grows', () => {
    const one = drawBars(bar())
    const two = drawBars(bar(), bar({ fromMs: NOW - 4 * MINUTE }))
    const height = (svg: string) => numbers(svg, 'height')[0] ?? 0
    expect(height(two)).toBeGreaterThan(height(one))
    expect(new Set(numbers(two, 'y').slice(1, 3)).size).toBe(2)
  })

  test('Ten thousand tenures are drawn as what there is room for, and the gravest outcome stays in sight', () => {
    const bars = Array.from({ length: 10_000 }, (_, index) => {
      const fromMs = NOW - 10 * MINUTE + index * 60
      return bar({ fromMs, toMs: fromMs + 50, outcome: index === 5_000 ? 'failed' : 'completed' })
    })
    const svg = drawBars(...bars)
    expect(titles(svg).length).toBeLessThan(150)
    expect(titles(svg).filter((title) => /tenures: 1 failed, \d+ completed/.test(title))).toHaveLength(1)
    expect(svg).toContain(LIGHT.failed)
  })

  test('Ten thousand marks of a kind are drawn as what there is room for, and say how many they are', () => {
    const marks = Array.from({ length: 10_000 }, (_, index) => {
      return { atMs: NOW - 10 * MINUTE + index * 60, kind: 'accepted' as const, title: `write ${index}` }
    })
    const drawn = titles(draw({ lanes: [lane({ marks })] }))
    expect(drawn.length).toBeLessThan(150)
    expect(drawn).toContainEqual(expect.stringMatching(/^write \d+\nand \d+ more of the kind$/))
  })

  test('Each outcome is told apart without colour, on a long bar and on a short one, and so is each mark', () => {
    const grey = Object.fromEntries(Object.keys(LIGHT).map((name) => [name, '#777777']))
    const shape = (changes: Partial<Lane>) =>
      draw({ lanes: [lane(changes)] }, { ...LIGHT, ...grey }).replace(/aria-label="[^"]*"/, '')
    for (const toMs of [NOW - 3 * MINUTE, NOW - 5 * MINUTE + 1]) {
      expect(new Set(OUTCOMES.map((outcome) => shape({ bars: [bar({ toMs, outcome })] }))).size).toBe(
        OUTCOMES.length - 1,
      )
      const lasting = shape({ bars: [bar({ toMs: undefined, outcome: 'leading' })] })
      expect(lasting).not.toBe(shape({ bars: [bar({ toMs: NOW, outcome: 'completed' })] }))
    }
    const marks = MARK_KINDS.map((kind) => shape({ marks: [{ atMs: NOW - MINUTE, kind, title: '' }] }))
    expect(new Set(marks).size).toBe(MARK_KINDS.length)
  })

  test('A label is written on its bar, behind it where only there is room, cut where there is none, or left out', () => {
    const label = 'BillingStack-Billing'
    const labels = (toMs: number, nextMs: number) =>
      texts(drawBars(bar({ label, toMs }), bar({ fromMs: nextMs, toMs: NOW }))).filter((text) =>
        text.startsWith('Bill'),
      )
    expect(labels(NOW - 2 * MINUTE, NOW - 2 * MINUTE)).toEqual([label])
    expect(labels(NOW - 4 * MINUTE, NOW - MINUTE)).toEqual([label])
    expect(labels(NOW - 4 * MINUTE, NOW - 3 * MINUTE)).toEqual([expect.stringMatching(/^Billing.*…$/)])
    expect(labels(NOW - 4.8 * MINUTE, NOW - 4 * MINUTE)).toEqual([])
    expect(texts(drawBars(bar({ label, fromMs: NOW - MINUTE, toMs: NOW })))).not.toContain(label)
  })

  test('A tenure that begins when another ends stands behind it, and not under it', () => {
    const lane = [bar({ toMs: NOW - 3 * MINUTE }), bar({ fromMs: NOW - 3 * MINUTE, toMs: NOW })]
    const svg = drawBars(...lane)
    const [first, second] = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"/g)].map((found) =>
      found.map(Number),
    )
    expect(second?.[2]).toBe(first?.[2])
    expect((first?.[1] ?? 0) + (first?.[3] ?? 0)).toBeLessThan(second?.[1] ?? 0)
  })

  test('A bar that somebody may click carries its id, one of many that are drawn together does not', () => {
    expect(drawBars(bar({ id: '"7"' }))).toContain('<g data-bar="&quot;7&quot;">')
    const crowd = Array.from({ length: 50 }, (_, index) => bar({ id: String(index) }))
    expect(drawBars(...crowd)).not.toContain('data-bar')
  })

  test('A lane without bars says so in words, and what is not known of it is dotted', () => {
    expect(texts(draw({ lanes: [lane({ empty: 'No tenure yet' })] }))).toContain('No tenure yet')
    const known = lane({ bars: [bar()], knownFromMs: NOW - 6 * MINUTE })
    expect(draw({ lanes: [known] })).toContain('stroke-dasharray="1 5"')
    expect(drawBars(bar())).not.toContain('stroke-dasharray="1 5"')
    expect(draw({ lanes: [lane({ bars: [bar()], knownFromMs: Number.NaN })] })).toBe(drawBars(bar()))
  })
})

describe('The axis', () => {
  const axis = (lengthMs: number, width: number) =>
    texts(draw({ fromMs: NOW - lengthMs, width })).filter((text) => text !== 'now')

  test.each([
    [10 * MINUTE, 800, ['06:00', '21 Nov UTC', '06:02', '06:04', '06:06', '06:08', '06:10']],
    [24 * 60 * MINUTE, 400, ['12:00', '20 Nov UTC', '18:00', '00:00', '21 Nov', '06:00']],
    [7_000, 400, ['06:09:54', '21 Nov UTC', '06:09:56', '06:09:58', '06:10:00']],
    [100, 400, ['06:09:59.900', '21 Nov UTC', '06:09:59.950', '06:10:00.000']],
    [20 * 24 * 60 * MINUTE, 400, ['2 Nov', 'UTC', '9 Nov', '16 Nov']],
    [1000 * 24 * 60 * MINUTE, 400, ['28 Oct 2024', 'UTC', '27 Oct 2025', '26 Oct 2026']],
  ])('A window of %d ms, %d pixels wide, has round times in UTC', (lengthMs, width, expected) => {
    expect(axis(lengthMs, width)).toEqual(expected)
  })
})

describe('For all who look', () => {
  test('It says as an image what there is to see', () => {
    const bars = [bar(), bar({ outcome: 'failed', fromMs: NOW - 9 * MINUTE, toMs: NOW - 8 * MINUTE })]
    expect(draw({ name: 'Tenures', lanes: [lane({ bars })] })).toContain(
      'role="img" aria-label="Tenures: billing; 21 Nov 2026 06:00:00 to 21 Nov 2026 06:10:00 UTC; 1 completed, 1 failed"',
    )
  })

  test('Names stand beside the lanes where there is room, and above them where there is not', () => {
    const height = (width: number) => numbers(draw({ width, lanes: [lane(), lane()] }), 'height')[0] ?? 0
    expect(height(400)).toBeGreaterThan(height(800))
  })

  test('The legend explains what occurs, and nothing else', () => {
    const legend = String(renderLegend(['failed', 'completed', 'failed'], DARK))
    expect(legend.replaceAll(/<title>.*?<\/title>|<[^>]*>/g, ' ').trim()).toMatch(/^completed\s+failed$/)
    const marks = String(renderMarkLegend(['refused', 'tick', 'refused'], DARK))
    expect(marks.replaceAll(/<title>.*?<\/title>|<[^>]*>/g, ' ').trim()).toMatch(/^tick\s+effect refused$/)
  })
})

describe('Whatever the data are', () => {
  const anyMs = fc.oneof(
    fc.integer({ min: NOW - 20 * MINUTE, max: NOW + 5 * MINUTE }),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -1, 8.64e15, -8.64e15, 1e300),
    fc.double(),
  )
  const timelines = (text: fc.Arbitrary<string>): fc.Arbitrary<Timeline> =>
    fc.record({
      name: text,
      fromMs: anyMs,
      toMs: anyMs,
      nowMs: anyMs,
      width: fc.oneof(fc.integer({ min: -10, max: 2000 }), fc.double()),
      lanes: fc.array(
        fc.record({
          name: text,
          empty: text,
          knownFromMs: fc.option(anyMs, { nil: undefined }),
          bars: fc.array(
            fc.record({
              fromMs: anyMs,
              toMs: fc.option(anyMs, { nil: undefined }),
              label: text,
              title: text,
              outcome: fc.constantFrom(...OUTCOMES),
            }),
            { maxLength: 6 },
          ),
          marks: fc.array(fc.record({ atMs: anyMs, kind: fc.constantFrom(...MARK_KINDS), title: text }), {
            maxLength: 4,
          }),
        }),
        { maxLength: 3 },
      ),
    })

  test('The picture is well formed, has a place for everything, and nothing lies outside of it', () => {
    fc.assert(
      fc.property(timelines(fc.string({ unit: 'binary' })), (timeline) => {
        const svg = String(renderTimeline(timeline, DARK))
        expect(isNested(svg)).toBe(true)
        const attributes = svg.replaceAll(/aria-label="[^"]*"|>[^<]*</g, '')
        expect(attributes).not.toMatch(/NaN|Infinity|undefined|e[+-]\d/)
        const [width = 0] = numbers(svg, 'width')
        expect(numbers(svg, 'x').filter((x) => !(x >= -5 && x <= width))).toEqual([])
      }),
    )
  })

  test('No text adds an element or an attribute', () => {
    const hostile = fc.constantFrom('"><script>', "' onload='x", '</title><b>', ']]>', '<!--', '&lt;', '\ud800')
    fc.assert(
      fc.property(timelines(hostile), (timeline) => {
        const lanes = timeline.lanes.map(({ bars, marks = [], ...rest }) => ({
          ...rest,
          name: 'x'.repeat(rest.name.length),
          empty: 'x',
          bars: bars.map((each) => ({ ...each, label: 'x'.repeat(each.label.length), title: 'x' })),
          marks: marks.map((mark) => ({ ...mark, title: 'x' })),
        }))
        const structure = (of: Timeline) => structureOf(String(renderTimeline(of)))
        expect(structure(timeline)).toEqual(structure({ ...timeline, name: 'x', lanes }))
      }),
    )
  })
})
