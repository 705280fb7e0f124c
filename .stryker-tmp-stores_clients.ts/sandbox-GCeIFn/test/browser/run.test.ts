/** A whole run, watched and broken on its page. The tests depend on their order. */
// @ts-nocheck

import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { allOf, counterOf, isFollowing, laneOf, lanesOf, rowsOf } from './drawn.ts'
import { describeInBrowser, pageAt, type Watched, watchingContexts } from './pages.ts'
import { type Run, startRun } from './run.ts'

/** The lease lasts 2.25 s: long enough for a busy machine. */
const FLAGS = ['--every', '1s', '--candidates', '3', '--time-scale', '0.15']

describeInBrowser('the page of a run', () => {
  const watch = watchingContexts()
  let run: Run
  let watched: Watched
  let page: Page
  beforeAll(async () => {
    ;[run, watched] = await Promise.all([startRun(...FLAGS), watch()])
    page = await pageAt(watched.context, run.url)
    await page.locator('#tenures tr').first().waitFor({ timeout: 100_000 }) // the stacks are synthesized first
  })
  afterAll(() => run?.end())

  const marksOf = async (name: string) => (await laneOf(page, name)).marks.join('\n')
  const markOn = (candidate: number, words: string) =>
    expect.poll(() => marksOf(`candidate ${candidate}`)).toContain(words)
  const follow = async () => {
    await page.focus('#scroller')
    await page.keyboard.press('End')
    await expect.poll(() => isFollowing(page)).toBe('true')
  }

  test('shows lanes, bars, standbys, effects and counters', async () => {
    await expect.poll(() => counterOf(page, 'Completed')).toBeGreaterThanOrEqual(2)
    const names = (await lanesOf(page)).map(({ name }) => name)
    expect(names).toEqual(['candidate 1', 'candidate 2', 'candidate 3', 'lease', 'effects'])
    await expect.poll(() => allOf(page, 'bars')).toMatch(/^completed: candidate [123], token \d+; tick .*Z;/m)
    await expect.poll(() => allOf(page, 'marks')).toMatch(/^stood by: (held|tickDone|contended);/m)
    await expect.poll(() => marksOf('effects')).toMatch(/accepted, from candidate [123] with token \d+/)
    await expect.poll(() => marksOf('lease')).toMatch(/^tick \d+: .*Z/)
    expect(await page.locator('#subject').innerText()).toMatch(/^You see .* the lease billing: .*lasts 2\.25 s/)
    expect(await counterOf(page, 'Ticks')).toBeGreaterThanOrEqual(2)
    expect(await counterOf(page, 'Completed twice')).toBe(0)
  })

  test('freezes the leader, shows its successor, and the refused write of the thawed leader', async () => {
    const placeOf = (id: string) =>
      page.locator(id).evaluate((button) => [button.offsetLeft, button.offsetTop, button.offsetWidth])
    const buttons = () => Promise.all(['#fault-thaw', '#fault-cut-1', '#fault-remove-1'].map(placeOf))
    const before = await buttons()
    await page.click('#fault-freeze')
    await expect.poll(() => page.locator('#leader').innerText()).toMatch(/Frozen: candidate [123]\.$/)
    const [frozen] = /\d$/.exec((await page.locator('#leader').innerText()).slice(0, -1)) ?? []
    await markOn(Number(frozen), 'frozen, with a write on its way')
    const taken = new RegExp(`^taken over: candidate ${frozen}, .*taken over by token`, 'm')
    await expect.poll(() => allOf(page, 'bars')).toMatch(taken)
    expect(await counterOf(page, 'Stale writes refused')).toBe(0)

    expect(await buttons(), 'the buttons keep their places').toEqual(before)
    await page.click('#fault-thaw')
    await markOn(Number(frozen), 'thawed')
    await expect.poll(() => marksOf('effects')).toMatch(new RegExp(`refused, from candidate ${frozen} with token`))
    await expect.poll(() => counterOf(page, 'Stale writes refused')).toBeGreaterThanOrEqual(1)
    await expect.poll(async () => [...(await rowsOf(page)).values()].join('\n')).toMatch(/taken over.*refused/)
    await expect.poll(() => page.locator('#legend').innerText()).toMatch(/taken over[\s\S]*effect refused/)
  })

  test('opens the log of a clicked bar, with each request and its answer', async () => {
    await page.click('#follow') // a moving bar cannot be clicked
    const { bars } = await laneOf(page, 'lease')
    const { id, title } = bars.findLast((bar) => bar.title.startsWith('completed: ')) ?? { id: '', title: '' }
    const [who] = /candidate \d, token \d+/.exec(title) ?? ['']
    await page.locator(`#picture [data-bar="${id}"] rect`).last().click()
    const log = page.getByRole('dialog', { name: who })
    await expect.poll(() => log.innerText()).toContain('Completes the tick')
    const text = await log.locator('#log-body').innerText()
    expect(text).toMatch(/Invoked for the tick [\s\S]*Requests the lease until [\s\S]*granted, with token /)
    await page.keyboard.press('Escape')
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0)
    await follow()
  })

  test('kills a leader, whose bar then says so', async () => {
    await page.click('#fault-kill')
    await expect.poll(() => allOf(page, 'marks')).toMatch(/^killed/m)
    await expect.poll(() => allOf(page, 'bars')).toMatch(/^failed.*signal: killed/m)
  })

  test('adds a candidate, which races too, and removes it', async () => {
    await page.click('#fault-add')
    await markOn(4, 'added')
    await expect.poll(async () => JSON.stringify(await laneOf(page, 'candidate 4'))).toMatch(/stood by: |token \d+/)
    await page.click('#fault-remove-4')
    await markOn(4, 'removed')
    await expect.poll(() => page.locator('#candidate-4').count()).toBe(0)
  })

  test('sends no request to another server, and cannot', async () => {
    expect(watched.complaints).toEqual([])
    expect(watched.requests.length).toBeGreaterThan(3)
    expect(watched.requests.filter((url) => !url.startsWith(run.url))).toEqual([])
    const blocked = `new Promise((done) => {
      document.addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective))
      fetch('http://127.0.0.1:1/').catch(() => {})
    })`
    expect(await page.evaluate(blocked)).toBe('connect-src')
  })
})
