import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest'
import { answer } from '../../functions/widget/answer.ts'
import { readEnvironment } from '../../functions/widget/environment.ts'
import { readContext } from '../../functions/widget/request.ts'
import { answeringClient } from '../election/answering-client.ts'
import { editRow } from '../support/lease-row.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'
import { leaseRecord, NOW } from './rows.ts'
import { structureOf } from './structure.ts'

/** As the documentation of CloudWatch shows it. */
const widgetContext = {
  dashboardName: 'Leases',
  widgetId: 'widget-16',
  accountId: '012345678901',
  locale: 'en',
  timezone: { label: 'UTC', offsetISO: '+00:00', offsetInMinutes: 0 },
  period: 300,
  isAutoPeriod: true,
  timeRange: { mode: 'relative', start: NOW - 86_400_000, end: NOW, relativeStart: 86_400_000 },
  theme: 'dark',
  linkCharts: true,
  title: 'Leases',
  forms: { all: {} },
  params: { leases: ['billing'] },
  width: 588,
  height: 369,
}

const nothingStored = () => ({ ...answeringClient(), leaseTable: 'leases', now: () => NOW })
const ask = async (event: unknown, { client, ...rest } = nothingStored()) => answer(event, { client, ...rest })

describe('The answer', () => {
  test('Asked to describe itself it answers with its parameters, in Markdown', async () => {
    const described = await ask({ describe: true, widgetContext })
    expect(described).toMatchObject({ markdown: expect.stringContaining('**leases**') })
  })

  test('Asked for leases it answers with HTML in the colours of the dashboard', async () => {
    const html = await ask({ leases: ['billing', 'report'], widgetContext })
    expect(html).toMatch(/billing[\s\S]*Not used yet[\s\S]*report[\s\S]*Not used yet/)
    expect(html).toContain('#e9ebed')
  })

  test('A lease that is named twice is shown once', async () => {
    const recorded = nothingStored()
    await ask({ leases: ['billing', 'billing'] }, recorded)
    expect(recorded.requests).toHaveLength(2)
  })

  test.each([
    [undefined, 'The parameter leases is missing'],
    [{}, 'The parameter leases is missing'],
    [{ leases: 'billing' }, 'The parameter leases is &quot;billing&quot;, not a list of names'],
    [{ leases: { 0: 'billing' } }, 'The parameter leases is an object, not a list'],
    [{ leases: [] }, 'an empty list'],
    [{ leases: [7] }, 'has 7 in it'],
    [{ leases: ['billing', 'a b'] }, 'has &quot;a b&quot; in it, which is no name of a lease'],
    [{ leases: [`<b>${'x'.repeat(500)}`] }, 'has &quot;&lt;b&gt;xxx'],
    [
      { leases: Array.from({ length: 51 }, (_, index) => `lease-${index}`) },
      'names 51 leases; a widget shows up to 50',
    ],
  ])('Wrong parameters are told, with what is allowed, and nothing is read: %j', async (event, told) => {
    const recorded = nothingStored()
    const html = await ask(event, recorded)
    expect(html).toContain(told)
    expect(html).toContain('Give 1 to 50 names of leases')
    expect(String(html).length).toBeLessThan(3_000)
    expect(recorded.requests).toEqual([])
  })

  test('No event whatever makes it fail, or puts an element of its own into the page', async () => {
    const store = nothingStored()
    const harmless = structureOf(String(await ask({ leases: ['not a name'] }, store)))
    const wrong = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.constant(null), fc.object())
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(wrong, fc.record({ leases: wrong }), fc.record({ leases: fc.tuple(wrong) })),
        async (event) => {
          const html = String(await ask(event, store))
          if (html.includes('does not know what to show')) expect(structureOf(html)).toEqual(harmless)
        },
      ),
    )
  })
})

describe('What CloudWatch says of the widget', () => {
  test('Theme, width and time range are taken from there', () => {
    const window = { fromMs: NOW - 86_400_000, toMs: NOW }
    expect(readContext({ widgetContext })).toEqual({ theme: 'dark', width: 556, window })
  })

  test('What is zoomed into is shown', () => {
    const timeRange = { ...widgetContext.timeRange, zoom: { start: NOW - 60_000, end: NOW - 30_000 } }
    expect(readContext({ widgetContext: { ...widgetContext, timeRange } }).window).toEqual({
      fromMs: NOW - 60_000,
      toMs: NOW - 30_000,
    })
  })

  test.each([undefined, null, 7, {}, { theme: 1, width: '588', timeRange: { start: 2, end: 1 } }])(
    'Without it, or with something else there, the widget is light and of a usual width: %j',
    (context) => {
      expect(readContext({ widgetContext: context })).toEqual({ theme: 'light', width: 568, window: undefined })
    },
  )
})

describe('The function', () => {
  beforeEach(() => {
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', inject('dynamodbEndpoint'))
    vi.stubEnv('AWS_REGION', 'eu-central-1')
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local')
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.resetModules()
  })

  test('It shows the leases of its table', async () => {
    const client = localClient(inject('dynamodbEndpoint'))
    const table = await createLeaseTable(client)
    await editRow(client, table, { ...leaseRecord({ expiresAtMs: Date.now() + 10_000 }) })
    client.destroy()
    vi.stubEnv('LEASE_TABLE', table)
    const { handler } = await import('../../functions/widget/handler.ts')
    expect(await handler({ leases: ['billing'], widgetContext })).toMatch(
      /Leading[\s\S]*expires in \d s[\s\S]*worker-7/,
    )
  })

  test('Its environment names the table, or it does not load', async () => {
    expect(readEnvironment({ LEASE_TABLE: ' leases ' })).toEqual({ leaseTable: 'leases' })
    vi.stubEnv('LEASE_TABLE', ' ')
    const message = "The console's environment is wrong: LEASE_TABLE is not set"
    await expect(import('../../functions/widget/handler.ts')).rejects.toThrow(message)
  })
})
