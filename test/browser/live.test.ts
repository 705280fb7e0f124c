/** What happens to the page while the election goes on, and where it comes from is not to be trusted. */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { counterOf, laneOf, lanesOf, rowsOf } from './drawn.ts'
import { everythingElse, STORY, startMadeUp } from './made-up.ts'
import { describeInBrowser, openingPages, pageAt, watchingContexts } from './pages.ts'

const textOf = (page: Page, selector: string) => page.locator(selector).innerText()
const ticksAre = (page: Page, ticks: number) => expect.poll(() => counterOf(page, 'Ticks')).toBe(ticks)
const focused = (page: Page) => page.evaluate('document.activeElement.id')

describeInBrowser('a page that has lost its connection', () => {
  const watch = watchingContexts()

  test('says so, comes back by itself, and has everything again', async () => {
    const { url, stop, startAgain, tick, add, listening } = await startMadeUp({ ticks: 10 })
    const { context, complaints } = await watch()
    const page = await pageAt(context, url)
    await ticksAre(page, 10)
    const before = await rowsOf(page)
    await stop()
    await expect
      .poll(() => textOf(page, '#connection'))
      .toBe('The run does not answer: it has ended, or it comes back.')
    await page.click('#act-kill')
    await expect.poll(() => page.getByRole('alert').innerText()).toBe('The run does not answer.')
    tick()
    add({ kind: 'broken', atMs: Date.now(), candidate: 4, words: 'cut off' })
    await startAgain()
    await ticksAre(page, 11)
    await expect.poll(() => textOf(page, '#connection')).toBe('')
    await expect.poll(async () => (await laneOf(page, 'candidate 4')).marks.join()).toContain('Candidate 4: cut off')
    const after = await rowsOf(page)
    expect([...after].slice(1)).toEqual([...before])
    expect(listening()).toBe(1)
    await context.close()
    expect(complaints.filter((text) => !/ERR_(CONNECTION|INCOMPLETE|EMPTY)/.test(text))).toEqual([])
  })

  test('says what to do when another run answers in its place, which it cannot watch', async () => {
    const { url, stop, startAgain, listening } = await startMadeUp({ ticks: 10 })
    const { context } = await watch()
    const page = await pageAt(context, url)
    await ticksAre(page, 10)
    await stop()
    await startAgain('key-of-another-run')
    await expect
      .poll(() => textOf(page, '#connection'))
      .toMatch(/^The run does not take this page: open the address that npm start printed last/)
    expect(listening()).toBe(0)
    await page.click('#act-kill')
    await expect
      .poll(() => page.getByRole('alert').innerText())
      .toMatch(/^Open the whole address that npm start printed/)
    await context.close()
  })
})

describeInBrowser('a page', () => {
  const open = openingPages()

  test('can be loaded again, and goes on', async () => {
    const { url, tick, acts } = await startMadeUp({ ticks: 1 })
    const page = await open(url)
    await ticksAre(page, 1)
    await page.reload()
    await ticksAre(page, 1)
    tick()
    await ticksAre(page, 2)
    await page.click('#act-kill')
    await expect.poll(() => acts).toEqual([{ do: 'killLeader' }])
  })

  test('shows what happens, without being asked', async () => {
    const { url, tick } = await startMadeUp({ ticks: 1 })
    const page = await open(url)
    await ticksAre(page, 1)
    tick()
    await ticksAre(page, 2)
    await expect.poll(() => textOf(page, '#news')).toMatch(/^Candidate 3 (leads|completed)$/)
    await expect
      .poll(async () => (await laneOf(page, 'candidate 3')).bars.map(({ title }) => title))
      .toEqual([
        expect.stringMatching(
          /^completed: candidate 3, token 1795000000002\ntick 2026-.*\nfrom [\d:.]+ UTC, for 0\.\d s/,
        ),
      ])
    const { marks } = await laneOf(page, 'candidate 1')
    expect(marks).toContainEqual(expect.stringMatching(/^stood by: held\n[\d:.]+ UTC$/))
  })

  test('follows no more when one scrolls back, stays where one is, and follows again when told', async () => {
    const { url, tick } = await startMadeUp()
    const page = await open(url)
    await ticksAre(page, 100)
    const scroller = page.locator('#scroller')
    await expect.poll(() => scroller.evaluate((element) => element.scrollLeft)).toBeGreaterThan(2_000)
    const end = await scroller.evaluate((element) => element.scrollLeft)
    await scroller.hover()
    await page.mouse.wheel(-1_500, 0)
    await expect.poll(() => page.getAttribute('#follow', 'aria-pressed')).toBe('false')
    await expect.poll(() => scroller.evaluate((element) => element.scrollLeft)).toBeLessThan(end - 1_000)
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
    expect(await page.getAttribute('#follow', 'aria-pressed')).toBe('true')
  })

  test('keeps the focus, and what one is about to choose, while the election goes on', async () => {
    const { url, tick, add } = await startMadeUp({ ticks: 5 })
    const page = await open(url)
    await ticksAre(page, 5)
    const clock = page.locator('#act-skew-2')
    await clock.focus()
    await clock.evaluate((select) => {
      select.isTheSame = true
    })
    tick()
    add({ kind: 'candidate', candidate: 1, isThere: false, skewMs: 0, isCutOff: false, dropsReply: false })
    add({ kind: 'candidate', candidate: 2, isThere: true, skewMs: 0, isCutOff: true, dropsReply: true })
    await ticksAre(page, 6)
    await expect.poll(() => page.locator('#candidates li').count()).toBe(9)
    expect(await focused(page)).toBe('act-skew-2')
    expect(await clock.evaluate((select) => select.isTheSame)).toBe(true)

    const row = page.locator('#tenures tbody button').first()
    const id = await row.getAttribute('id')
    await row.focus()
    tick()
    await ticksAre(page, 7)
    expect(await focused(page)).toBe(id)
    expect(await page.locator('#tenures tbody button').nth(1).getAttribute('id')).toBe(id)
  })

  test('shows how far a clock is off, whoever set it, and what it is where it could not be set', async () => {
    const { url, add, acts, refuse } = await startMadeUp({ ticks: 1 })
    const page = await open(url)
    await ticksAre(page, 1)
    const clock = page.locator('#act-skew-2')
    const skewed = (skewMs: number) =>
      add({ kind: 'candidate', candidate: 2, isThere: true, skewMs, isCutOff: false, dropsReply: false })
    await clock.selectOption('5000')
    await expect.poll(() => acts).toEqual([{ do: 'skewClock', candidate: 2, ms: 5_000 }])
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

  test('takes names, messages and stacks as text, whatever they look like', async () => {
    const evil = '<img src=x onerror="window.isHacked=1"><script>window.isHacked=1</script>"\'`</title></svg>'
    const nowMs = Date.now()
    const error = { name: evil, message: evil, trace: [`at ${evil}`] }
    const { url } = await startMadeUp({
      ticks: 1,
      more: [
        {
          kind: 'setup',
          task: evil,
          lease: evil,
          leaseMs: 15_000,
          periodMs: 3_600_000,
          switchedOff: [],
          mostCandidates: 10,
        },
        { kind: 'woken', atMs: nowMs, candidate: 4, invocation: evil, tick: evil, retry: 0 },
        { kind: 'done', atMs: nowMs, candidate: 4, invocation: evil, status: 'failed', error },
        { kind: 'broken', atMs: nowMs, candidate: 5, words: evil },
        { kind: 'done', atMs: nowMs, candidate: 6, invocation: 'x', status: 'standby', reason: evil },
        {
          kind: 'effect',
          atMs: nowMs,
          tenure: 1,
          token: 7,
          candidate: 2,
          verdict: 'refused',
          what: evil,
          times: 1,
        },
      ],
      story: { ...STORY, steps: [{ atMs: nowMs, words: evil, came: evil, request: { evil }, trace: [evil] }] },
    })
    const page = await open(url)
    await expect.poll(() => textOf(page, '#subject')).toContain(`${evil} on the lease ${evil},`)
    expect((await laneOf(page, 'candidate 5')).marks.join()).toContain(evil)
    expect((await laneOf(page, 'candidate 6')).marks.join()).toContain(evil)
    expect((await laneOf(page, 'effects')).marks.join()).toContain(evil)
    await page.locator('[data-failure]').click()
    await expect.poll(() => textOf(page, '#story-body')).toContain(`${evil}: ${evil}`)
    expect(await textOf(page, '#story-body pre')).toBe(`at ${evil}`)
    await page.click('#story-close')
    await page.locator('[data-story]').click()
    await expect.poll(() => textOf(page, '#story-body')).toContain(`${evil} → ${evil}`)
    expect(await page.locator('img, svg script, main script, dialog script').count()).toBe(0)
    expect(await page.evaluate('window.isHacked')).toBeUndefined()
  })

  test('leaves open what one opened of a story that goes on', async () => {
    const steps = [...STORY.steps]
    const { url, tick } = await startMadeUp({ ticks: 3, story: { ...STORY, steps } })
    const page = await open(url)
    await ticksAre(page, 3)
    await page.locator('[data-story]').first().click()
    const parts = page.locator('#story-body details')
    await parts.first().locator('summary').click()
    await expect.poll(() => parts.first().getAttribute('open')).not.toBeNull()
    steps.push({ atMs: Date.now(), words: 'Returns: its tick is completed' })
    tick()
    await expect.poll(() => textOf(page, '#story-body')).toContain('Returns: its tick is completed')
    expect(await parts.first().getAttribute('open')).not.toBeNull()
  })

  test('says what is frozen, broken and armed, and offers the way back', async () => {
    const { url, acts } = await startMadeUp({ ticks: 3, more: everythingElse() })
    const page = await open(url)
    await expect.poll(() => textOf(page, '#leader')).toMatch(/Frozen: a try of candidate 3\.$/)
    expect(await textOf(page, '#act-kill')).toBe('The next leader will be killed')
    expect(await page.locator('#act-kill').isDisabled()).toBe(true)
    await page.getByRole('button', { name: 'Thaw candidate 3' }).click()
    await page.getByRole('button', { name: 'Connect again for candidate 2' }).click()
    await expect.poll(() => acts).toEqual([{ do: 'thawLeader' }, { do: 'reconnect', candidate: 2 }])
    expect(await textOf(page, '#counters .wrong')).toMatch(/Completed twice\s*1\s*must be 0: this is wrong/)
  })

  test('listens no more when the run is over, and keeps what there was', async () => {
    const { url, add, stop, listening } = await startMadeUp({ ticks: 10 })
    const page = await open(url)
    await ticksAre(page, 10)
    const before = await rowsOf(page)
    add({ kind: 'over', atMs: Date.now(), words: 'The run is over' })
    await expect.poll(() => textOf(page, '#leader')).toBe('The run is over.')
    await expect.poll(listening).toBe(0)
    await stop()
    expect(await page.locator('main button:enabled:not([data-story])').count()).toBe(3) // of the time line
    expect(await page.locator('select:enabled').count()).toBe(0)
    expect(await textOf(page, '#connection')).toBe('')
    expect(await rowsOf(page)).toEqual(before)
    expect((await lanesOf(page)).length).toBe(12)
  })
})
