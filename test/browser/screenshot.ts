/** `node test/browser/screenshot.ts`: makes docs/console.png from a real run with a frozen and a killed leader. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Page } from 'playwright-core'
import { launchChromium } from '../support/chromium.ts'

const ROOT = join(import.meta.dirname, '../..')
const FILE = join(ROOT, 'docs/console.png')
/** Ticks without faults at the beginning. */
const CALM_TICKS = 4

const run = spawn(process.execPath, ['infra/local/start.ts', '--every', '1500ms'], {
  cwd: ROOT,
  stdio: ['ignore', 'pipe', 'inherit'],
})
const browser = await launchChromium()
try {
  console.log('Starting a run …')
  const page = await browser.newPage({ viewport: { width: 1_200, height: 900 }, deviceScaleFactor: 1.5 })
  page.setDefaultTimeout(120_000)
  await page.goto(await addressOf(run.stdout))
  console.log('Breaking it …')
  await breakIt(page)
  const { height = 900 } = (await page.locator('main').boundingBox()) ?? {}
  const tenures = (await page.locator('section').last().boundingBox())?.y ?? height
  await page.screenshot({ path: FILE, clip: { x: 0, y: 0, width: 1_200, height: Math.min(height, tenures) } })
  console.log('Made docs/console.png')
} finally {
  await browser.close()
  run.kill('SIGINT')
  await once(run, 'close')
}

async function addressOf(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const [url] = /http:\/\/127\.0\.0\.1:\d+\/[\w-]+\//.exec(line) ?? []
    if (url !== undefined) {
      output.resume() // unread output must not block the run
      return url
    }
  }
  throw new Error('The run ended before it printed the address of its page')
}

async function breakIt(page: Page): Promise<void> {
  await ticksMore(page, CALM_TICKS)
  await page.getByRole('button', { name: 'Freeze the leader' }).click()
  await outcome(page, 'taken over')
  await ticksMore(page, 1)
  await page.getByRole('button', { name: /^Thaw candidate/ }).click()
  await page
    .locator('#tenures td', { hasText: /refused$/ })
    .first()
    .waitFor()
  await ticksMore(page, 1)
  await page.getByRole('button', { name: 'Kill the leader' }).click()
  await outcome(page, 'failed, then taken over')
  await ticksMore(page, 1)
}

async function outcome(page: Page, words: string): Promise<void> {
  await page.locator('#tenures td', { hasText: words }).first().waitFor()
}

/** Settles when this number of further ticks is completed. */
async function ticksMore(page: Page, more: number): Promise<void> {
  const completed = async () => Number(await page.locator('#counters dd').nth(1).textContent())
  const enough = (await completed()) + more
  while ((await completed()) < enough) await page.waitForTimeout(100)
}
