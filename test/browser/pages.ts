/** Pages in a browser of the test file's own, closed after each test, with an eye on what they ask for and complain of. */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, inject } from 'vitest'
import { launchChromium } from '../support/chromium.ts'

export const describeInBrowser = describe.skipIf(!inject('hasChromium'))

export const DESKTOP = { width: 1280, height: 900 }
export const PHONE = { width: 390, height: 844 }

/** What the pages of a context asked for, and what went wrong in them. */
export interface Watched {
  readonly context: BrowserContext
  /** Addresses, in the order in which they were asked for. */
  readonly requests: readonly string[]
  /** Warnings and errors in the console but those of a refused act and of the feed's end, and what was thrown and not caught. */
  readonly complaints: readonly string[]
}

/** To be called in a `describe`. @returns a page at this address, in a browser context of its own */
export function openingPages(): (url: string, options?: BrowserContextOptions) => Promise<Page> {
  const watched = watchingContexts()
  const opened: (Watched & { readonly url: string })[] = []
  afterEach(async () => {
    for (const { context, url, requests, complaints } of opened.splice(0)) {
      await context.close()
      expect(complaints).toEqual([])
      expect(requests.filter((request) => !request.startsWith(url))).toEqual([])
    }
  })
  return async (url, options) => {
    const one = await watched(options)
    opened.push({ ...one, url })
    return pageAt(one.context, url)
  }
}

/** To be called in a `describe`. What they open is closed at its end. */
export function watchingContexts(): (options?: BrowserContextOptions) => Promise<Watched> {
  let browser: Browser | undefined
  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(() => browser?.close())
  return async (options = {}) => {
    if (browser === undefined) throw new Error('The browser has not been started')
    return watch(await browser.newContext({ viewport: DESKTOP, ...options }))
  }
}

export async function pageAt(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(url)
  return page
}

function watch(context: BrowserContext): Watched {
  const [requests, complaints]: [string[], string[]] = [[], []]
  context.on('request', (request) => {
    if (!request.url().startsWith('data:')) requests.push(request.url())
  })
  context.on('console', (message) => {
    const isRefusedAct = message.location().url.endsWith('/acts') && message.text().includes('409')
    const isBad = ['warning', 'error'].includes(message.type())
    if (isBad && !isRefusedAct) complaints.push(message.text())
  })
  context.on('weberror', (error) => complaints.push(String(error.error())))
  return { context, requests, complaints }
}
