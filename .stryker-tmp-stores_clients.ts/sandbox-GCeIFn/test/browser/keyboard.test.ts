/** The page without a mouse. */
// @ts-nocheck

import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { candidate } from '../local/page/election.ts'
import { focused, isFollowing, laneOf, scrollLeft } from './drawn.ts'
import { describeInBrowser, openingPages } from './pages.ts'
import { LOG, startSynthetic } from './synthetic-page.ts'

describeInBrowser('by the keyboard alone', () => {
  const open = openingPages()

  const ready = (page: Page) => page.locator('#picture [data-bar]').first().waitFor()

  test('every control is reached, in reading order', async () => {
    const { url } = await startSynthetic({
      ticks: 30,
      more: [
        ...[3, 4, 5, 6, 7, 8, 9, 10].map((number) => candidate(number, { isPresent: false })),
        { kind: 'leader', frozen: [1] },
      ],
    })
    const page = await open(url)
    await ready(page)
    await expect.poll(() => page.locator('#candidates li').count()).toBe(2)
    const reached: unknown[] = []
    do {
      await page.keyboard.press('Tab')
      reached.push(await focused(page))
    } while (reached.at(-1) !== '' && reached.length < 100)
    const rows: readonly string[] = await page
      .locator('#tenures tbody button')
      .evaluateAll((buttons) => buttons.map((button) => button.id))
    const ofCandidates = [1, 2].flatMap((number) =>
      ['skew', 'drop', 'cut', 'remove'].map((name) => `fault-${name}-${number}`),
    )
    expect(rows).toHaveLength(20)
    expect(reached).toEqual([
      ...['zoom-out', 'zoom-in', 'follow', 'scroller', 'fault-kill', 'fault-freeze', 'fault-thaw'],
      ...[...ofCandidates, 'fault-add', ...rows, ''],
    ])
  })

  test('a log is opened, read and closed, and the focus returns', async () => {
    const { url, tick } = await startSynthetic({ ticks: 30, log: LOG })
    const page = await open(url)
    await ready(page)
    const third = page.locator('#tenures tbody button').nth(2)
    const id = await third.getAttribute('id')
    await third.focus()
    await page.keyboard.press('Enter')
    const log = page.getByRole('dialog')
    await expect.poll(() => log.innerText()).toContain('granted, with token 7')
    expect(await focused(page)).toBe('log-close')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter') // the request of its first step with one
    await expect.poll(() => log.locator('details').first().getAttribute('open')).not.toBeNull()
    tick() // the table gets one more row
    await expect.poll(() => page.locator('#counters').textContent()).toContain('Ticks31')
    await page.keyboard.press('Escape')
    await expect.poll(() => log.count()).toBe(0)
    expect(await focused(page)).toBe(id)
  })

  test('arrow keys scroll the time line, and End follows again', async () => {
    const { url } = await startSynthetic()
    const page = await open(url)
    await ready(page)
    await expect.poll(() => scrollLeft(page)).toBeGreaterThan(2_000)
    expect(await isFollowing(page)).toBe('true')
    await page.focus('#scroller')
    const end = await scrollLeft(page)
    for (let times = 0; times < 10; times += 1) await page.keyboard.press('ArrowLeft')
    await expect.poll(() => scrollLeft(page)).toBeLessThan(end - 100)
    await expect.poll(() => isFollowing(page)).toBe('false')
    await page.keyboard.press('End')
    await expect.poll(() => isFollowing(page)).toBe('true')
    await expect.poll(() => scrollLeft(page)).toBeGreaterThan(end)
  })

  test('+ zooms into the time line, and − out of it', async () => {
    const { url } = await startSynthetic()
    const page = await open(url)
    await ready(page)
    const bars = async () => (await laneOf(page, 'lease')).bars.length
    await expect.poll(bars).toBeGreaterThan(8)
    const before = await bars()
    await page.focus('#scroller')
    await page.keyboard.press('+')
    await page.keyboard.press('+')
    await expect.poll(bars).toBeLessThan(before / 2)
    for (let times = 0; times < 3; times += 1) await page.keyboard.press('-')
    await expect.poll(bars).toBeGreaterThan(before)
    await page.focus('#zoom-in')
    await page.keyboard.press('Enter')
    await expect.poll(async () => Math.abs((await bars()) - before)).toBeLessThanOrEqual(1)
  })
})
