/** What everybody can read: in light and in dark, on a desk and on a phone. */
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { everythingElse, STORY, startMadeUp } from './made-up.ts'
import { DESKTOP, describeInBrowser, openingPages, PHONE } from './pages.ts'

const VIEWS = [
  ['light', 'a desk', DESKTOP],
  ['dark', 'a desk', DESKTOP],
  ['light', 'a phone', PHONE],
  ['dark', 'a phone', PHONE],
] as const

describeInBrowser('the page', () => {
  const open = openingPages()

  test.each(VIEWS)('in %s on %s has nothing that axe complains of', async (colorScheme, _, viewport) => {
    const { url } = await startMadeUp({ more: everythingElse(), story: STORY })
    const page = await open(url, { colorScheme, viewport, reducedMotion: 'reduce' })
    await page.evaluate(axe.source)
    await expect.poll(() => page.locator('#tenures tbody tr').count()).toBe(20)
    expect(await violations(page)).toEqual([])

    await page.locator('[data-failure]').click()
    await expect.poll(() => page.getByRole('dialog').innerText()).toContain('Cannot read properties')
    expect(await violations(page)).toEqual([])
    await page.click('#story-close')

    await page.locator('[data-story]').first().click()
    await expect.poll(() => page.getByRole('dialog').innerText()).toContain('granted, with token 7')
    await page.locator('#story-body details').evaluateAll((parts) => {
      for (const part of parts) part.open = true
    })
    await expect.poll(() => page.locator('#story-body pre:visible').count()).toBe(3)
    expect(await violations(page)).toEqual([])
  })

  test('has nothing that axe complains of before anything is told, and when the run is over', async () => {
    const { url, add } = await startMadeUp({ ticks: 0 })
    const page = await open(url)
    await page.evaluate(axe.source)
    await expect.poll(() => page.locator('#tenures').innerText()).toBe('No candidate has led yet.')
    expect(await violations(page)).toEqual([])
    add({ kind: 'over', atMs: Date.now(), words: 'The run is over' })
    await expect.poll(() => page.locator('#leader').innerText()).toBe('The run is over.')
    expect(await violations(page)).toEqual([])
  })

  test('takes other colours in the dark, for the picture too', async () => {
    const { url } = await startMadeUp({ ticks: 3 })
    const page = await open(url, { colorScheme: 'light' })
    await page.locator('#picture [data-bar] rect').first().waitFor()
    const coloursNow = () =>
      Promise.all([colourOf(page, 'body', 'backgroundColor'), ...INKS.map(([of, what]) => colourOf(page, of, what))])
    const light = await coloursNow()
    await page.emulateMedia({ colorScheme: 'dark' })
    const dark = await coloursNow()
    for (const [index, colour] of dark.entries()) expect(colour).not.toBe(light[index])
    expect(brightness(light[0] ?? '')).toBeGreaterThan(200)
    expect(brightness(dark[0] ?? '')).toBeLessThan(60)
  })

  test('is not wider than a phone, whatever it has to show', async () => {
    const long = 'x'.repeat(120)
    const error = { name: 'Error', message: `${long} ${long}`, trace: [`at ${long} (${long}:1:1)`] }
    const { url } = await startMadeUp({
      more: [
        ...everythingElse(),
        {
          kind: 'setup',
          task: `/${long}`,
          lease: long,
          leaseMs: 15_000,
          periodMs: 3_600_000,
          switchedOff: [],
          mostCandidates: 10,
        },
        { kind: 'done', atMs: Date.now(), candidate: 4, invocation: 'long/0', status: 'failed', error },
      ],
      story: {
        ...STORY,
        steps: [...STORY.steps, { atMs: 0, words: long, request: { long }, came: long, trace: [long] }],
      },
    })
    const page = await open(url, { viewport: PHONE, isMobile: true, hasTouch: true, deviceScaleFactor: 2 })
    await expect.poll(() => page.locator('#subject').innerText()).toContain(long)
    expect(await overflow(page)).toEqual([])
    await page.locator('[data-failure="long/0"]').tap()
    await expect.poll(() => page.getByRole('dialog').innerText()).toContain(long)
    expect(await overflow(page)).toEqual([])
    await page.locator('#story-close').tap()
    await page.locator('[data-story]').first().tap()
    await expect.poll(() => page.locator('#story-body').innerText()).toContain(long)
    expect(await overflow(page)).toEqual([])
  })

  test('has only controls on a phone that a finger can hit', async () => {
    const { url } = await startMadeUp({ ticks: 20, more: everythingElse() })
    const page = await open(url, { viewport: PHONE, isMobile: true, hasTouch: true })
    await expect.poll(() => page.locator('#tenures tbody tr').count()).toBe(20)
    const sizes: readonly { id: string; width: number; height: number }[] = await page
      .locator('button:visible, select:visible')
      .evaluateAll((all) => all.map((one) => ({ id: one.id, width: one.offsetWidth, height: one.offsetHeight })))
    // https://www.w3.org/TR/WCAG22/#target-size-minimum
    expect(sizes.filter(({ width, height }) => width < 24 || height < 24)).toEqual([])
  })

  test('moves nothing by itself but what happens', async () => {
    const { url } = await startMadeUp({ ticks: 5 })
    const page = await open(url, { reducedMotion: 'reduce' })
    await page.locator('#picture [data-bar]').first().waitFor()
    expect(await page.evaluate('document.getAnimations().length')).toBe(0)
    const moving = await page.evaluate(
      `[...document.querySelectorAll('*')].filter((one) => {
        const { animationName, transitionDuration, scrollBehavior } = getComputedStyle(one)
        return animationName !== 'none' || /[1-9]/.test(transitionDuration) || scrollBehavior === 'smooth'
      }).map((one) => one.localName + '#' + one.id)`,
    )
    expect(moving).toEqual([])
  })
})

/** Each broken rule, and where. */
async function violations(page: Page): Promise<readonly string[]> {
  const found: unknown = await page.evaluate(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
      violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, failureSummary }) => id + ': ' + help + ': ' + target.join(' ') + ': ' + failureSummary)))`,
  )
  return Array.isArray(found) ? found.map(String) : [`axe said ${JSON.stringify(found)}`]
}

const INKS = [
  ['body', 'color'],
  ['#picture [data-bar] rect', 'fill'],
  ['#act-kill', 'backgroundColor'],
] as const

const colourOf = (page: Page, selector: string, what: string): Promise<string> =>
  page
    .locator(selector)
    .first()
    .evaluate((element, property) => element.ownerDocument.defaultView.getComputedStyle(element)[property], what)

function brightness(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/\d+/g) ?? []).map(Number)
  return (red + green + blue) / 3
}

/** What makes the page scroll sideways; nothing where it does not. */
async function overflow(page: Page): Promise<readonly string[]> {
  return page.locator('html').evaluate((html) => {
    const { clientWidth, scrollWidth } = html
    const window = html.ownerDocument.defaultView
    const dialog = html.querySelector('dialog')
    return [
      ...(window.innerWidth > 390 ? [`the window is ${window.innerWidth} px wide`] : []),
      ...(scrollWidth > clientWidth ? [`the page is ${scrollWidth} px wide, of ${clientWidth}`] : []),
      ...(dialog.scrollWidth > dialog.clientWidth ? [`the story is ${dialog.scrollWidth} px wide`] : []),
    ]
  })
}
