// @ts-nocheck
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { leaseTimeline } from '../../functions/widget/lanes.ts'
import { type LeaseReading, leaseView } from '../../functions/widget/model.ts'
import { renderTimeline } from '../../functions/widget/timeline.ts'
import { renderWidget, type WidgetPage } from '../../functions/widget/widget.ts'
import { leaseRecord, MINUTE, NOW, reading, tenureRow, vacantRecord } from './rows.ts'
import { structureOf } from './structure.ts'

const draw = (readings: readonly LeaseReading[], page: Partial<WidgetPage> = {}): string => {
  const views = readings.map((each) => leaseView(each, NOW))
  return String(renderWidget(views, { theme: 'light', width: 1000, nowMs: NOW, ...page }))
}
/** The visible text. */
const words = (html: string): string =>
  html.replaceAll(/<style>[\s\S]*?<\/style>|<title>[^<]*<\/title>|<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')

const UUID = '1f2e3d4c-0c1d-4e5f-8a9b-0123456789ab'
const earlier = '2026-11-21T05:00:00.000Z'

const proclaimed = { announcement: { url: 'https://10.0.0.7' }, announcedBy: 42 }
const { tick: _tick, ...standing } = leaseRecord({ ...proclaimed, acquiredAtMs: NOW - 3 * 24 * 60 * MINUTE })
const kept = { reservedFor: 'worker-8', reservedUntilMs: NOW + 1 }

test('It shows leader, token, tick, countdown and last completion', () => {
  const record = leaseRecord({ holder: `Billing/${UUID}`, completedTick: earlier })
  const shown = words(draw([reading(record, [tenureRow(41, { forTick: { S: earlier } })])]))
  const parts = ['billing', 'Leading', 'expires in 9 s', 'Billing/1f2e3d4c ', '42', '06:00', 'tick 05:00 · 7 min ago']
  for (const part of parts) expect(shown).toContain(part)
})

test.each([
  [standing, 'Leading for 3 days, expires in 9 s worker-7 {&quot;url&quot;:&quot;https://10.0.0.7&quot;} 42'],
  [leaseRecord({ ...proclaimed, announcedBy: 41 }), 'expires in 9 s worker-7 42'],
  [vacantRecord({ ...kept, reservedBy: 42 }), 'Vacant kept for worker-8'],
  [vacantRecord({ ...kept, reservedBy: 41 }), 'Vacant –'],
  [vacantRecord({ ...kept, reservedBy: 42, reservedUntilMs: NOW }), 'Vacant –'],
  [leaseRecord({ expiresAtMs: NOW - 3 * MINUTE }), 'Expired 3 min ago: the holder did not renew'],
  [vacantRecord(), 'Vacant'],
  [vacantRecord({ pausedUntilMs: NOW + 50 * MINUTE }), 'Paused until 07:00 UTC, for 50 min'],
  [leaseRecord({ pausedUntilMs: NOW + 50 * MINUTE }), 'expires in 9 s; paused for others until 07:00 UTC'],
  [undefined, 'Not used yet no candidate has asked for it'],
  [undefined, 'No tenure yet. Tenures are drawn here as soon as a candidate leads.'],
])('Each state has its words: %#', (record, expected) => {
  expect(words(draw([reading(record)]))).toContain(expected)
})

test('A problem of one lease stands in its place, once, and the others are shown', () => {
  const denied = { ok: false, problem: 'Access denied' } as const
  const shown = words(draw([{ lease: 'payroll', record: denied, history: denied }, reading(leaseRecord())]))
  expect(shown).toMatch(/payroll\s+Access denied.*billing\s+Leading/)
  expect(shown.match(/Access denied/g)).toHaveLength(1)
})

test('A history that could not be read, or only in part, is noted below the timeline', () => {
  const history = { ok: false, problem: 'DynamoDB did not answer in time' } as const
  const unread = draw([{ ...reading(leaseRecord()), history }])
  expect(words(unread)).toContain('History of billing: DynamoDB did not answer in time')
  const timeless = tenureRow(1, { beganAtMs: undefined, endedAtMs: undefined })
  expect(words(draw([reading(leaseRecord(), [timeless])]))).toContain('1 row has no time and is not drawn')
})

test.each([
  ['the time range of the dashboard', 24 * 60, reading(leaseRecord()), '00:00'],
  ['a tenure that began days before that range, under way', 60, reading(standing), '06:00'],
  ['all tenures if there is none in that range', 2, reading(undefined, [tenureRow(41)]), '06:02'],
])('The timeline shows %s', (_sentence, minutes, lease, label) => {
  const html = draw([lease], { window: { fromMs: NOW - minutes * MINUTE, toMs: NOW } })
  expect(Array.from(html.matchAll(/text-anchor="\w+"[^>]*>([^<]*)</g), ([, text]) => text)).toContain(label)
})

test('The tooltip of a bar says how the tenure ended, who led, with which token and tick, when and how long', () => {
  const failed = tenureRow(41, { outcome: { S: 'failed' }, failure: { S: 'GatewayError' } })
  expect(draw([reading(undefined, [failed])])).toContain(
    '<title>failed: GatewayError\nworker-41\ntoken 41\ntick 06:00 UTC\nbegan 06:02 UTC, lasted 1 min</title>',
  )
})

// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
test('Fifty leases of twenty tenures stay far below the 6 MB that Lambda can return', () => {
  const rows = Array.from({ length: 20 }, (_, index) => {
    const beganAtMs = { N: String(NOW - (30 - index) * MINUTE) }
    return tenureRow(index, { beganAtMs, endedAtMs: beganAtMs, candidate: { S: `BillingStack-Billing/${UUID}` } })
  })
  const readings = Array.from({ length: 50 }, () => reading(leaseRecord(), rows))
  expect(draw(readings).length).toBeLessThan(1_000_000)
})

test('CloudWatch removes nothing: no script, form, frame, id or link', () => {
  const html = draw([reading(leaseRecord(), [tenureRow(41)]), reading(vacantRecord())])
  const structure = structureOf(html).join('\n')
  expect(structure).not.toMatch(/^(script|form|iframe|use|link|img|a)\b|\b(id|href|src|on\w+)$/m)
  expect(html.replaceAll('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:|url\(|@import/)
})

test('No row can add an element or an attribute', () => {
  const hostile = '"><img src=x onerror=alert(1)>\u0000</title></svg><b>'
  const structureWith = (text: string) => {
    const record = leaseRecord({ lease: text, holder: text, tick: text, completedTick: text, errorName: text })
    const row = tenureRow(41, { candidate: { S: text }, forTick: { S: text }, failure: { S: text } })
    return structureOf(draw([{ ...reading(record, [row]), lease: text }]))
  }
  expect(structureWith(hostile)).toEqual(structureWith('x'.repeat(hostile.length)))
})

test('No time in a row breaks the widget', () => {
  const ms = fc.oneof(fc.maxSafeNat(), fc.integer({ min: NOW - MINUTE, max: NOW + MINUTE }))
  const times = fc.record({ acquiredAtMs: ms, expiresAtMs: ms, writtenAtMs: ms, pausedUntilMs: ms })
  fc.assert(
    fc.property(times, (changes) => {
      const html = [leaseRecord(changes), vacantRecord(changes)].map((record) => draw([reading(record)])).join()
      expect(html).not.toMatch(/NaN|Infinity|undefined/)
    }),
    { numRuns: 50 },
  )
})

test('The picture in the documentation is what the renderer draws; `vitest -u` renews it', async () => {
  const ended = [
    ['93aa', 4.5, 2.6, 'completed'],
    ['5c02', 6.5, 5.6, 'failed'],
    ['e81f', 10, 6.9, 'takenOver'],
    ['0d44', 13.5, 11.6, 'completed'],
  ] as const
  const rows = ended.map(([candidate, from, to, outcome], index) => {
    const [beganAtMs, endedAtMs] = [from, to].map((minutesAgo) => ({ N: String(NOW - minutesAgo * MINUTE) }))
    return tenureRow(41 - index, { candidate: { S: candidate }, beganAtMs, endedAtMs, outcome: { S: outcome } })
  })
  const view = leaseView(reading(leaseRecord({ holder: '1b7d', acquiredAtMs: NOW - 1.4 * MINUTE }), rows), NOW)
  const svg = String(renderTimeline({ ...leaseTimeline([view], NOW, undefined), width: 880 }))
  // A picture on its own inherits no font and no background.
  const withFont = svg.replace('font-family="inherit"', 'font-family="system-ui, sans-serif"')
  const picture = `${withFont.replace('style="', 'style="background:#fff;')}\n`
  await expect(picture).toMatchFileSnapshot('../../docs/dashboard.svg')
})
