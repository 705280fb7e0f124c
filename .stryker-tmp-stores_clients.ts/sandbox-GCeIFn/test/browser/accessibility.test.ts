/** Accessibility: in light and dark, on a desk and on a phone. */
// @ts-nocheck

import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { DESKTOP, describeInBrowser, openingPages, PHONE } from './pages.ts'
import { everythingElse, LOG, setupEntry, startSynthetic } from './synthetic-page.ts'

const VIEWS = (['light', 'dark'] as const).flatMap((colorScheme) => [
  { colorScheme, on: 'a desk', viewport: DESKTOP },
  { colorScheme, on: 'a phone', viewport: PHONE },
])

describeInBrowser('the page', () => {
  const open = openingPages()

  test.each(VIEWS)('in $colorScheme on $on passes axe', async ({ colorScheme, viewport }) => {
    const { url } = await startSynthetic({ more: everythingElse(), log: LOG })
    const page = await open(url, { colorScheme, viewport, reducedMotion: 'reduce' })
    await page.evaluate(axe.source)
    await expect.poll(() => page.locator('#tenures tbody tr').count()).toBe(20)
    expect(await violations(page)).toEqual([])

    await page.locator('[data-log]').first().click()
    await expect.poll(() => page.getByRole('dialog').innerText()).toContain('granted, with token 7')
    await page.locator('#log-body details').evaluateAll((parts) => {
      for (const part of parts) part.open = true
    })
    await expect.poll(() => page.locator('#log-body pre:visible').count()).toBe(3)
    expect(await violations(page)).toEqual([])
  })

  test('has other colours in the dark, also in the picture', async () => {
    const { url } = await startSynthetic({ ticks: 3 })
    const page = await open(url, { colorScheme: 'light' })
    await page.locator('#picture [data-bar] rect').first().waitFor()
    const colours = () =>
      Promise.all([colourOf(page, 'body', 'backgroundColor'), colourOf(page, '#picture [data-bar] rect', 'fill')])
    const [lightPage, lightBar] = await colours()
    await page.emulateMedia({ colorScheme: 'dark' })
    const [darkPage, darkBar] = await colours()
    expect(lightPage).toBe('rgb(255, 255, 255)')
    expect(darkPage).not.toBe(lightPage)
    expect(darkBar).not.toBe(lightBar)
  })

  test('is not wider than a phone, whatever it shows', async () => {
    const long = 'x'.repeat(120)
    const error = { name: 'Error', message: `${long} ${long}` }
    const { url } = await startSynthetic({
      more: [
        ...everythingElse(),
        setupEntry(`/${long}`, long),
        { kind: 'failure', atMs: Date.now(), number: 1_001, candidate: 4, tick: long, error },
      ],
      log: [...LOG, { atMs: 0, description: long, request: { long }, result: long, trace: [long] }],
    })
    const page = await open(url, { viewport: PHONE, isMobile: true, hasTouch: true, deviceScaleFactor: 2 })
    await expect.poll(() => page.locator('#subject').innerText()).toContain(long)
    expect(await overflow(page)).toEqual([])
    await page.locator('[data-log="1001"]').tap()
    await expect.poll(() => page.locator('#log-body').innerText()).toContain(long)
    expect(await overflow(page)).toEqual([])
  })
})

/** Each broken rule, with its element. */
async function violations(page: Page): Promise<readonly string[]> {
  const found: unknown = await page.evaluate(
    `axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } })
      .then(({ violations }) => violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, failureSummary }) =>
        [id, help, target.join(' '), failureSummary].join(': '))))`,
  )
  return Array.isArray(found) ? found.map(String) : [`axe said ${JSON.stringify(found)}`]
}

const colourOf = (page: Page, selector: string, what: string): Promise<string> =>
  page
    .locator(selector)
    .first()
    .evaluate((element, property) => element.ownerDocument.defaultView.getComputedStyle(element)[property], what)

/** What makes the page scroll sideways. */
async function overflow(page: Page): Promise<readonly string[]> {
  return page.locator('html').evaluate((html) => {
    const { clientWidth, scrollWidth } = html
    const window = html.ownerDocument.defaultView
    const dialog = html.querySelector('dialog')
    return [
      ...(window.innerWidth > 390 ? [`the window is ${window.innerWidth} px wide`] : []),
      ...(scrollWidth > clientWidth ? [`the page is ${scrollWidth} px wide, of ${clientWidth}`] : []),
      ...(dialog.scrollWidth > dialog.clientWidth ? [`the log is ${dialog.scrollWidth} px wide`] : []),
    ]
  })
}
