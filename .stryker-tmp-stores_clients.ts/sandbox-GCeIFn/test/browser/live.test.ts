/** The page while the election continues, also with a lost connection and with hostile input. */
// @ts-nocheck

import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { candidate, tenure } from '../local/page/election.ts'
import { counterOf, focused, isFollowing, laneOf, rowsOf, scrollLeft } from './drawn.ts'
import { describeInBrowser, openingPages, pageAt, watchingContexts } from './pages.ts'
import { LOG, startSynthetic } from './synthetic-page.ts'

const textOf = (page: Page, selector: string) => page.locator(selector).innerText()
const ticksAre = (page: Page, ticks: number) => expect.poll(() => counterOf(page, 'Ticks')).toBe(ticks)

describeInBrowser('a page that has lost its connection', () => {
  const watch = watchingContexts()

  test('says so, reconnects automatically, and shows everything again', async () => {
    const { url, stop, startAgain, tick, add, listening } = await startSynthetic({ ticks: 10 })
    const { context, complaints } = await watch()
    const page = await pageAt(context, url)
    await ticksAre(page, 10)
    const before = await rowsOf(page)
    await stop()
    await expect
      .poll(() => textOf(page, '#connection'))
      .toBe('The run does not answer: it has ended, or it is about to return.')
    await page.click('#fault-kill')
    await expect.poll(() => page.getByRole('alert').innerText()).toBe('The run does not answer.')
    tick()
    add({ kind: 'fault', atMs: Date.now(), candidate: 4, description: 'cut off' })
    await startAgain()
    await ticksAre(page, 11)
    await expect.poll(() => textOf(page, '#connection')).toBe('')
    await expect.poll(() => textOf(page, '#news')).toBe('Candidate 4: cut off')
    expect((await laneOf(page, 'candidate 4')).marks.join()).toContain('cut off')
    const after = await rowsOf(page)
    expect([...after].slice(1)).toEqual([...before])
    expect(listening()).toBe(1)
    await context.close()
    expect(complaints.filter((text) => !/ERR_(CONNECTION|INCOMPLETE|EMPTY)/.test(text))).toEqual([])
  })

  test('says what to do if another run uses the port', async () => {
    const { url, stop, startAgain, listening } = await startSynthetic({ ticks: 10 })
    const { context } = await watch()
    const page = await pageAt(context, url)
    await ticksAre(page, 10)
    await stop()
    await startAgain('key-of-another-run')
    await expect
      .poll(() => textOf(page, '#connection'))
      .toMatch(/^The run rejects this page: open the address that the terminal shows last/)
    expect(listening()).toBe(0)
    await page.click('#fault-kill')
    await expect
      .poll(() => page.getByRole('alert').innerText())
      .toMatch(/^Open the complete address that the terminal shows/)
    await context.close()
  })
})

describeInBrowser('a page', () => {
  const open = openingPages()

  test('stops following when scrolled back, and follows again on request', async () => {
    const { url, tick } = await startSynthetic()
    const page = await open(url)
    await ticksAre(page, 100)
    await expect.poll(() => scrollLeft(page)).toBeGreaterThan(2_000)
    const end = await scrollLeft(page)
    await page.locator('#scroller').hover()
    await page.mouse.wheel(-1_500, 0)
    await expect.poll(() => isFollowing(page)).toBe('false')
    await expect.poll(() => scrollLeft(page)).toBeLessThan(end - 1_000)
    const bars = async () => (await laneOf(page, 'lease')).bars.map(({ id }) => `#${id}`).join()
    const isStill = async () => {
      const seen = await bars()
      await page.waitForFunction(
        'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))',
      )
      return seen !== '' && seen === (await bars())
    }
    await expect.poll(isStill).toBe(true)
    const there = await bars()
    tick()
    await ticksAre(page, 101)
    expect(await bars()).toBe(there)
    await page.getByRole('button', { name: 'Follow' }).click()
    await expect.poll(bars).toContain('#101')
    expect(await isFollowing(page)).toBe('true')
  })

  test('keeps the focus and the selection while the election continues', async () => {
    const { url, tick, add } = await startSynthetic({ ticks: 5 })
    const page = await open(url)
    await ticksAre(page, 5)
    const clock = page.locator('#fault-skew-2')
    await clock.focus()
    await clock.evaluate((select) => {
      select.isTheSame = true
    })
    tick()
    add(candidate(1, { isPresent: false }))
    add(candidate(2, { isCutOff: true, dropsNextReply: true }))
    await ticksAre(page, 6)
    await expect.poll(() => page.locator('#candidates li').count()).toBe(9)
    expect(await focused(page)).toBe('fault-skew-2')
    expect(await clock.evaluate((select) => select.isTheSame)).toBe(true)

    const row = page.locator('#tenures tbody button').first()
    const id = await row.getAttribute('id')
    await row.focus()
    tick()
    await ticksAre(page, 7)
    expect(await focused(page)).toBe(id)
    expect(await page.locator('#tenures tbody button').nth(1).getAttribute('id')).toBe(id)
  })

  test('shows the actual clock of a candidate, also if it could not be set', async () => {
    const { url, add, injected, refuse } = await startSynthetic({ ticks: 1 })
    const page = await open(url)
    await ticksAre(page, 1)
    const clock = page.locator('#fault-skew-2')
    const skewed = (skewMs: number) => add(candidate(2, { skewMs }))
    await clock.selectOption('5000')
    await expect.poll(() => injected).toEqual([{ do: 'skewClock', candidate: 2, ms: 5_000 }])
    skewed(5_000)
    skewed(-1_234)
    await expect.poll(() => clock.inputValue()).toBe('-1234')
    skewed(500)
    await expect.poll(() => clock.inputValue()).toBe('500')
    refuse('There is no candidate 2, only 1')
    await clock.selectOption('0')
    await expect.poll(() => page.getByRole('alert').innerText()).toBe('There is no candidate 2, only 1.')
    await expect.poll(() => clock.inputValue()).toBe('500')
  })

  test('keeps opened details of a growing log open', async () => {
    const steps = [...LOG]
    const { url, add } = await startSynthetic({ ticks: 3, log: steps })
    const page = await open(url)
    await ticksAre(page, 3)
    await page.locator('[data-log]').first().click()
    const parts = page.locator('#log-body details')
    await parts.first().locator('summary').click()
    await expect.poll(() => parts.first().getAttribute('open')).not.toBeNull()
    steps.push({ atMs: Date.now(), description: 'Returns: its tick is completed' })
    add(tenure(3, 0, { atMs: Date.now(), accepted: 7 }))
    await expect.poll(() => textOf(page, '#log-body')).toContain('Returns: its tick is completed')
    expect(await parts.first().getAttribute('open')).not.toBeNull()
  })

  test('disconnects when the run is over, and keeps its contents', async () => {
    const { url, add, stop, listening } = await startSynthetic({ ticks: 10 })
    const page = await open(url)
    await ticksAre(page, 10)
    const before = await rowsOf(page)
    add({ kind: 'over', atMs: Date.now(), verdict: [] })
    await expect.poll(() => textOf(page, '#leader')).toBe('The run has ended.')
    await expect.poll(listening).toBe(0)
    await stop()
    expect(await textOf(page, '#connection')).toBe('')
    expect(await rowsOf(page)).toEqual(before)
  })
})
