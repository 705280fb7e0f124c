// @ts-nocheck
import type { Browser, CDPSession } from 'playwright-core'
import { Feed } from '../../../infra/local/page/feed.ts'
import { startPage } from '../../../infra/local/page/server.ts'
import { launchChromium } from '../../support/chromium.ts'
import { APART_MS, syntheticSetup, syntheticTick } from '../../support/synthetic-election.ts'
import type { Bench } from '../bench.ts'
import { inTurns, ratioOf, show } from '../measure.ts'
import type { Result } from '../report.ts'

const FRAMES = 240
const LIVE_EVERY_MS = 100

/** Back and forth through the last ticks, one step per frame. */
const SCROLL_THROUGH = `(async () => {
  const scroller = document.querySelector('#scroller')
  for (let frame = 0; frame < ${FRAMES}; frame += 1) {
    scroller.scrollLeft = scroller.scrollWidth - 4_000 + Math.abs(${FRAMES / 2} - frame) * 20
    await new Promise(requestAnimationFrame)
  }
})()`

/** Whether the page of a local run gets slower with the length of the history, while it scrolls and ticks arrive. */
export async function localPage(bench: Bench): Promise<Result> {
  const [few, many] = [100, bench.isQuick ? 1_000 : 10_000]
  const browser = await launchChromium()
  try {
    const samples = await inTurns(
      bench.isQuick ? 1 : 3,
      [few, many].map((size) => [size, () => msPerFrame(browser, size)] as const),
    )
    return {
      title: 'Page of a local run',
      tables: [
        {
          about: 'Work of the main thread of Chromium per frame, as a ratio to that of a short history.',
          columns: ['tenures', 'work per frame'],
          rows: [few, many].map((size) => [size.toLocaleString('en'), show(ratioOf(samples(size), samples(few)))]),
        },
      ],
    }
  } finally {
    await browser.close()
  }
}

async function msPerFrame(browser: Browser, size: number): Promise<number> {
  const feed = new Feed()
  const add = (number: number, atMs: number) => {
    for (const entry of syntheticTick(number, atMs)) feed.add(entry)
  }
  for (const entry of syntheticSetup()) feed.add(entry)
  const nowMs = Date.now()
  for (let number = 1; number <= size; number += 1) add(number, nowMs - (size - number) * APART_MS)
  const server = await startPage({ port: 0, feed, logs: { get: () => [] }, inject: async () => {} })
  const page = await browser.newPage({ viewport: { width: 1_280, height: 900 } })
  await page.goto(server.url)
  await page.locator('#counters', { hasText: `Ticks${size}` }).waitFor()
  const devTools = await page.context().newCDPSession(page)
  await devTools.send('Performance.enable')
  const before = await taskSeconds(devTools)
  let number = size
  const live = setInterval(() => {
    number += 1
    add(number, Date.now())
  }, LIVE_EVERY_MS)
  await page.evaluate(SCROLL_THROUGH)
  clearInterval(live)
  const seconds = (await taskSeconds(devTools)) - before
  await page.context().close()
  await server.stop()
  return seconds * (1_000 / FRAMES)
}

async function taskSeconds(devTools: CDPSession): Promise<number> {
  const { metrics } = await devTools.send('Performance.getMetrics')
  return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN
}
