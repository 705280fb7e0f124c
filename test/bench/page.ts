/**
 * `node test/bench/page.ts`: whether the page of a local run gets slower or larger with the length of the history. The
 * page is scrolled while ticks arrive, with few and with many tenures in turn, in one browser. It prints the time for
 * which the main thread works per frame; only the ratio is meaningful.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Browser, CDPSession, Page } from 'playwright-core'
import { Feed } from '../../infra/local/page/feed.ts'
import { startPage } from '../../infra/local/page/server.ts'
import { launchChromium } from '../support/chromium.ts'
import { APART_MS, syntheticSetup, syntheticTick } from '../support/synthetic-election.ts'
import { compareSizes } from './compare.ts'

const FRAMES = 240
const LIVE_EVERY_MS = 100
const MEMORY_AT = [2_500, 5_000, 7_500, 10_000]

/** Back and forth through the last ticks, one step per frame. */
const SCROLL_THROUGH = `(async () => {
  const scroller = document.querySelector('#scroller')
  for (let frame = 0; frame < ${FRAMES}; frame += 1) {
    scroller.scrollLeft = scroller.scrollWidth - 4_000 + Math.abs(${FRAMES / 2} - frame) * 20
    await new Promise(requestAnimationFrame)
  }
})()`

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const browser = await launchChromium()
try {
  await compareSizes([100, 10_000], (size) => msPerFrame(browser, size), 'tenures, work per frame')
  await showMemory(browser)
} finally {
  await browser.close()
}

async function msPerFrame(browser: Browser, size: number): Promise<number> {
  const feed = feedOf(size)
  await using shown = await show(browser, feed, size)
  const { page, devTools } = shown
  const before = await metric(devTools, 'TaskDuration')
  let number = size
  const live = setInterval(() => {
    number += 1
    addTick(feed, number, Date.now())
  }, LIVE_EVERY_MS)
  await page.evaluate(SCROLL_THROUGH)
  clearInterval(live)
  return ((await metric(devTools, 'TaskDuration')) - before) * (1_000 / FRAMES)
}

async function showMemory(browser: Browser): Promise<void> {
  const feed = feedOf(0)
  await using shown = await show(browser, feed, 0)
  const { page, devTools } = shown
  let number = 0
  for (const until of MEMORY_AT) {
    for (; number < until; number += 1) {
      addTick(feed, number + 1, Date.now() - (10_000 - number) * APART_MS)
      if (number % 50 === 0) await sleep(1) // lets the page receive it
    }
    await page.locator('#counters', { hasText: `Ticks${until}` }).waitFor()
    await devTools.send('HeapProfiler.collectGarbage')
    const pageBytes = await metric(devTools, 'JSHeapUsedSize')
    collectGarbage()
    const serverBytes = process.memoryUsage().heapUsed
    console.log(`after ${until} tenures: page ${megabytes(pageBytes)}, server ${megabytes(serverBytes)}`)
  }
}

interface Shown extends AsyncDisposable {
  readonly page: Page
  readonly devTools: CDPSession
}

/** Settles when the page shows this number of ticks. */
async function show(browser: Browser, feed: Feed, ticks: number): Promise<Shown> {
  const server = await startPage({ port: 0, feed, logs: { get: () => [] }, inject: async () => {} })
  const page = await browser.newPage({ viewport: { width: 1_280, height: 900 } })
  await page.goto(server.url)
  await page.locator('#counters', { hasText: `Ticks${ticks}` }).waitFor()
  const devTools = await page.context().newCDPSession(page)
  await devTools.send('Performance.enable')
  return {
    page,
    devTools,
    [Symbol.asyncDispose]: async () => {
      await page.context().close()
      await server.stop()
    },
  }
}

function feedOf(size: number): Feed {
  const feed = new Feed()
  for (const entry of syntheticSetup()) feed.add(entry)
  const nowMs = Date.now()
  for (let number = 1; number <= size; number += 1) addTick(feed, number, nowMs - (size - number) * APART_MS)
  return feed
}

function addTick(feed: Feed, number: number, atMs: number): void {
  for (const entry of syntheticTick(number, atMs)) feed.add(entry)
}

async function metric(devTools: CDPSession, name: string): Promise<number> {
  const { metrics } = await devTools.send('Performance.getMetrics')
  return metrics.find((one) => one.name === name)?.value ?? Number.NaN
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MB`
}
