// @ts-nocheck
import { describe, expect, test, vi } from 'vitest'
import { answer, readContext } from '../../functions/widget/answer.ts'
import { answeringClient } from '../election/answering-client.ts'
import { NOW } from './rows.ts'

/** The properties of CloudWatch's documented context that the widget reads, and some others. */
const widgetContext = {
  dashboardName: 'Leases',
  timezone: { label: 'UTC', offsetISO: '+00:00', offsetInMinutes: 0 },
  timeRange: { mode: 'relative', start: NOW - 86_400_000, end: NOW, relativeStart: 86_400_000 },
  theme: 'dark',
  params: { leases: ['billing'] },
  width: 588,
  height: 369,
}

const emptyTable = () => {
  const { client, requests } = answeringClient()
  return { requests, answer: (event: unknown) => answer(event, client, 'leases', () => NOW) }
}

describe('The answer', () => {
  test('describes the parameters in Markdown when CloudWatch asks for a description', async () => {
    const described = await emptyTable().answer({ describe: true, widgetContext })
    expect(described).toMatchObject({ markdown: expect.stringContaining('**leases**') })
  })

  test('is HTML in the colours of the dashboard, with each lease once', async () => {
    const store = emptyTable()
    const html = await store.answer({ leases: ['billing', 'report', 'billing'], widgetContext })
    expect(html).toMatch(/billing[\s\S]*Not used yet[\s\S]*report[\s\S]*Not used yet/)
    expect(html).toContain('#e9ebed')
    expect(store.requests).toHaveLength(4)
  })

  test.each([
    [undefined, 'is missing, not a list of names'],
    [{ leases: 'billing' }, 'is &quot;billing&quot;, not a list of names'],
    [{ leases: [] }, 'is an empty list'],
    [{ leases: [7] }, 'contains 7, which is no lease name'],
    [{ leases: ['billing', 'a b'] }, 'contains &quot;a b&quot;, which is no lease name'],
    [{ leases: [`<b>${'x'.repeat(500)}`] }, 'contains &quot;&lt;b&gt;xxx'],
    [{ leases: Array.from({ length: 51 }, (_, index) => `lease-${index}`) }, 'has 51 names; a widget shows up to 50'],
  ])('says what is wrong with the parameters and what is allowed, and reads nothing: %j', async (event, problem) => {
    const store = emptyTable()
    const html = await store.answer(event)
    expect(html).toContain(`The parameter leases ${problem}`)
    expect(html).toContain('Give 1 to 50 lease names')
    expect(String(html).length).toBeLessThan(3_000)
    expect(store.requests).toEqual([])
  })
})

const timeRange = { start: NOW - 86_400_000, end: NOW }
const zoom = { start: NOW - 60_000, end: NOW }
const DEFAULTS = { theme: 'light', width: 568, window: undefined }

test.each([
  [widgetContext, { theme: 'dark', width: 556, window: { fromMs: timeRange.start, toMs: NOW } }],
  [{ timeRange: { ...timeRange, zoom } }, { ...DEFAULTS, window: { fromMs: zoom.start, toMs: NOW } }],
  [undefined, DEFAULTS],
  [7, DEFAULTS],
  [{ theme: 1, width: '588', timeRange: { start: 2, end: 1 } }, DEFAULTS],
])('The context %j gives theme, width and the zoomed range or the time range', (context, expected) => {
  expect(readContext({ widgetContext: context })).toEqual(expected)
})

test('The function does not load without the name of its table', async () => {
  vi.stubEnv('LEASE_TABLE', ' ')
  const message = 'The environment of the widget is wrong: LEASE_TABLE is not set'
  await expect(import('../../functions/widget/handler.ts')).rejects.toThrow(message)
  vi.unstubAllEnvs()
})
