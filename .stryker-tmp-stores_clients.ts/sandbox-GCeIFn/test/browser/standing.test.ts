/** Servers that stay, broken on the page. The tests depend on their order. */
// @ts-nocheck

import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { allOf, counterOf, lanesOf, rowsOf } from './drawn.ts'
import { describeInBrowser, pageAt, type Watched, watchingContexts } from './pages.ts'
import { type Run, startRun } from './run.ts'

describeInBrowser('the page of servers', () => {
  const watch = watchingContexts()
  let run: Run
  let watched: Watched
  let page: Page
  beforeAll(async () => {
    ;[run, watched] = await Promise.all([startRun('--standing', '3'), watch()])
    page = await pageAt(watched.context, run.url)
    await page.locator('#tenures tr').first().waitFor({ timeout: 100_000 })
  })
  afterAll(() => run?.end())

  const leader = async () => Number(/Candidate (\d) leads/.exec(await page.locator('#leader').innerText())?.[1])

  test('shows who leads, what it proclaims and what it writes, and no ticks', async () => {
    await expect.poll(() => page.locator('#leader').innerText()).toMatch(/leads, token .* It proclaims {"pid":\d+}\./)
    const lanes = (await lanesOf(page)).map(({ name }) => name)
    expect(lanes).toEqual(['candidate 1', 'candidate 2', 'candidate 3', 'lease', 'effects'])
    await expect
      .poll(() => allOf(page, 'marks'))
      .toMatch(/UpdateItem of Work; accepted, from candidate [123] with token/)
    expect(await page.locator('#legend').innerText()).not.toMatch(/tick/)
    expect(await page.locator('#tenures').innerText()).not.toMatch(/tick/i)
  })

  test('hands over to the candidate that is asked for', async () => {
    const before = await leader()
    const other = before === 3 ? 2 : 3
    await page.click(`#fault-hand-over-${other}`)
    await expect.poll(leader).toBe(other)
    await expect.poll(async () => [...(await rowsOf(page)).values()].join('\n')).toMatch(/{"pid":\d+},handed over/)
    expect(await allOf(page, 'bars')).toMatch(new RegExp(`^handed over: candidate ${before}, .*proclaimed`, 'm'))
    expect(await counterOf(page, 'Stale writes accepted')).toBe(0)
  })

  test('kills the leader, whose successor leads with a higher token', async () => {
    const before = await leader()
    await page.click('#fault-kill')
    await expect
      .poll(() => allOf(page, 'bars'))
      .toMatch(new RegExp(`^failed, then taken over: candidate ${before}`, 'm'))
    await expect.poll(() => page.locator('#counters').innerText()).toMatch(/without a leader\s*\d+\.\d\d s/)
    expect(await page.locator('#verdict').innerText()).toMatch(/^So far all is well: each token is higher/)
    expect(watched.complaints).toEqual([])
  })
})
