import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type LeaseReading, leaseView } from '../../functions/widget/model.ts'
import { renderWidget, type WidgetPage } from '../../functions/widget/widget.ts'
import { leaseRecord, MINUTE, NOW, reading, tenureRow, vacantRecord } from './rows.ts'
import { structureOf } from './structure.ts'

const draw = (readings: readonly LeaseReading[], page: Partial<WidgetPage> = {}): string => {
  const views = readings.map((each) => leaseView(each, NOW))
  return String(renderWidget(views, { theme: 'light', width: 1000, nowMs: NOW, ...page }))
}
/** What a reader sees of it. */
const words = (html: string): string =>
  html
    .replace(/<style>[\s\S]*?<\/style>/, '')
    .replaceAll(/<title>[^<]*<\/title>/g, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')

const UUID = '1f2e3d4c-0c1d-4e5f-8a9b-0123456789ab'

describe('At a glance', () => {
  test.each([1000, 400])('It tells who leads, the token, the tick and the countdown, %d pixels wide', (width) => {
    const record = leaseRecord({ holder: `Billing/${UUID}`, completedTick: '2026-11-21T05:00:00.000Z' })
    const rows = [tenureRow(41, { forTick: { S: '2026-11-21T05:00:00.000Z' } })]
    const seen = words(draw([reading(record, rows)], { width }))
    for (const part of [
      'billing',
      'Leading',
      'expires in 9 s',
      'Billing/1f2e3d4c ',
      '42',
      '06:00',
      'tick 05:00 · 7 min ago',
    ]) {
      expect(seen).toContain(part)
    }
  })

  test.each([
    [leaseRecord({ expiresAtMs: NOW - 3 * MINUTE }), 'Expired 3 min ago: the holder did not come back'],
    [vacantRecord(), 'Vacant'],
    [vacantRecord({ pausedUntilMs: NOW + 50 * MINUTE }), 'Paused until 07:00 UTC, for 50 min'],
    [leaseRecord({ pausedUntilMs: NOW + 50 * MINUTE }), 'expires in 9 s; paused for others until 07:00 UTC'],
    [undefined, 'Not used yet no candidate has asked for it'],
  ])('Each state is said in words: %#', (record, expected) => {
    for (const width of [1000, 400]) expect(words(draw([reading(record)], { width }))).toContain(expected)
  })

  test('Before the first tenure it says what will be seen there', () => {
    expect(words(draw([reading(undefined)]))).toContain('No tenure yet: as soon as a candidate leads')
  })

  test('What is wrong with one lease stands in its place, and the others are shown', () => {
    const denied = { ok: false, problem: 'Access denied' } as const
    const seen = words(draw([{ lease: 'payroll', record: denied, history: denied }, reading(leaseRecord())]))
    expect(seen).toMatch(/payroll\s+Access denied.*billing\s+Leading/)
    expect(seen.match(/Access denied/g)).toHaveLength(1)
  })

  test('A history that could not be read, or in part, is noted under the time line', () => {
    const { lease, record } = reading(leaseRecord())
    const history = { ok: false, problem: 'DynamoDB did not answer in time' } as const
    expect(words(draw([{ lease, record, history }]))).toContain('History of billing: DynamoDB did not answer in time')
    const foreign = tenureRow(1, { beganAtMs: undefined, endedAtMs: undefined })
    expect(words(draw([reading(leaseRecord(), [foreign])]))).toContain('1 row tells no time and is not drawn')
  })
})

describe('The time line', () => {
  const axisTexts = (html: string) => Array.from(html.matchAll(/text-anchor="\w+"[^>]*>([^<]*)</g), ([, text]) => text)

  test('It shows the time range of the dashboard', () => {
    const window = { fromMs: NOW - 24 * 60 * MINUTE, toMs: NOW }
    expect(axisTexts(draw([reading(leaseRecord())], { window }))).toContain('00:00')
  })

  test('Where no tenure lies in that range, it shows all that it has', () => {
    const window = { fromMs: NOW - 2 * MINUTE, toMs: NOW }
    expect(axisTexts(draw([reading(undefined, [tenureRow(41)])], { window }))).toContain('06:02')
  })

  test('A bar tells on hovering who it was, which token and tick, when and how long, and what came of it', () => {
    const failed = tenureRow(41, { outcome: { S: 'failed' }, failure: { S: 'GatewayError' } })
    expect(draw([reading(undefined, [failed])])).toContain(
      '<title>failed: GatewayError\nworker-41\ntoken 41\ntick 06:00 UTC\nbegan 06:02 UTC, lasted 1 min</title>',
    )
  })

  // https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
  test('Fifty leases of twenty tenures stay far below the 6 MB that Lambda can answer', () => {
    const rows = Array.from({ length: 20 }, (_, index) => {
      const beganAtMs = { N: String(NOW - (30 - index) * MINUTE) }
      return tenureRow(index, { beganAtMs, endedAtMs: beganAtMs, candidate: { S: `BillingStack-Billing/${UUID}` } })
    })
    const readings = Array.from({ length: 50 }, () => reading(leaseRecord(), rows))
    expect(draw(readings).length).toBeLessThan(1_000_000)
  })
})

describe('What the console allows', () => {
  test('There is no script, form, frame, use, id, link or other resource', () => {
    const html = draw([reading(leaseRecord(), [tenureRow(41)]), reading(vacantRecord())])
    const structure = structureOf(html).join('\n')
    expect(structure).not.toMatch(/^(script|form|iframe|use|link|img|a)\b|\b(id|href|src|on\w+)$/m)
    expect(html.replaceAll('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:|url\(|@import/)
  })

  test('Colours follow the theme', () => {
    const [light, dark] = (['light', 'dark'] as const).map((theme) => draw([reading(leaseRecord())], { theme }))
    expect(light).toContain('#0b6bcb')
    expect(dark).toContain('#5aa9f5')
    expect(dark).not.toContain('#0b6bcb')
  })

  test('Nothing in a row can add an element or an attribute', () => {
    const hostile = '"><img src=x onerror=alert(1)>\u0000</title></svg><b>'
    const drawWith = (text: string, width: number) => {
      const record = leaseRecord({ lease: text, holder: text, tick: text, completedTick: text, errorName: text })
      const row = tenureRow(41, { candidate: { S: text }, forTick: { S: text }, failure: { S: text } })
      return structureOf(draw([{ ...reading(record, [row]), lease: text }], { width }))
    }
    for (const width of [1000, 400])
      expect(drawWith(hostile, width)).toEqual(drawWith('x'.repeat(hostile.length), width))
  })

  test('No time on the row breaks it', () => {
    const anyTime = fc.oneof(fc.maxSafeNat(), fc.integer({ min: NOW - MINUTE, max: NOW + MINUTE }))
    const times = fc.record({
      acquiredAtMs: anyTime,
      expiresAtMs: anyTime,
      writtenAtMs: anyTime,
      pausedUntilMs: anyTime,
    })
    fc.assert(
      fc.property(times, (changes) => {
        const html = [leaseRecord(changes), vacantRecord(changes)].map((record) => draw([reading(record)])).join()
        expect(html).not.toMatch(/NaN|Infinity|undefined/)
      }),
      { numRuns: 50 },
    )
  })
})
