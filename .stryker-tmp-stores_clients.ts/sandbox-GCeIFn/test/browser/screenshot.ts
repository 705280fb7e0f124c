/** `node test/browser/screenshot.ts`: makes docs/console.png from a real run with a frozen and a killed leader. */
// @ts-nocheck

import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { launchChromium } from '../support/chromium.ts'
import { counterOf } from './drawn.ts'
import { startRun } from './run.ts'

const FILE = join(import.meta.dirname, '../../docs/console.png')
/** Ticks without faults at the beginning. */
const CALM_TICKS = 4

console.log('Starting a run …')
const run = await startRun('--every', '1500ms')
const browser = await launchChromium()
try {
  const page = await browser.newPage({ viewport: { width: 1_200, height: 900 }, deviceScaleFactor: 1.5 })
  page.setDefaultTimeout(120_000)
  await page.goto(run.url)
  console.log('Breaking it …')
  await breakIt(page)
  const { height = 900 } = (await page.locator('main').boundingBox()) ?? {}
  const tenures = (await page.locator('section').last().boundingBox())?.y ?? height
  await page.screenshot({ path: FILE, clip: { x: 0, y: 0, width: 1_200, height: Math.min(height, tenures) } })
  console.log('Made docs/console.png')
} finally {
  await browser.close()
  await run.end()
}

async function breakIt(page: Page): Promise<void> {
  await ticksMore(page, CALM_TICKS)
  await page.getByRole('button', { name: 'Freeze the leader' }).click()
  await outcome(page, 'taken over')
  await ticksMore(page, 1)
  await page.getByRole('button', { name: /^Thaw candidate/ }).click()
  await outcome(page, /refused$/)
  await ticksMore(page, 1)
  await page.getByRole('button', { name: 'Kill the leader' }).click()
  await outcome(page, 'failed, then taken over')
  await ticksMore(page, 1)
}

async function outcome(page: Page, hasText: string | RegExp): Promise<void> {
  await page.locator('#tenures td', { hasText }).first().waitFor()
}

/** Settles when this number of further ticks is completed. */
async function ticksMore(page: Page, more: number): Promise<void> {
  const enough = (await counterOf(page, 'Completed')) + more
  while ((await counterOf(page, 'Completed')) < enough) await page.waitForTimeout(100)
}
