/** Pages in a browser for each test file; requests and complaints of each page are recorded. */
// @ts-nocheck

import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest'
import { chromiumPath, launchChromium } from '../support/chromium.ts'

/** Skipped without a browser; with TENURE_BROWSER_REQUIRED=1, as in CI, it then fails. */
export const describeInBrowser = describe.skipIf(
  chromiumPath() === undefined && process.env['TENURE_BROWSER_REQUIRED'] !== '1',
)

export const DESKTOP = { width: 1280, height: 900 }
export const PHONE = { width: 390, height: 844 }

export interface Watched {
  readonly context: BrowserContext
  /** The addresses, in order. */
  readonly requests: readonly string[]
  /** Uncaught errors, and warnings and errors in the console, except for refused faults. */
  readonly complaints: readonly string[]
}

/** Call it in a `describe`. Each page has a context of its own, and must not complain or leave its server. */
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

/** Call it in a `describe`, which closes the contexts at its end. */
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
    const isRefusedFault = message.location().url.endsWith('/faults') && message.text().includes('409')
    const isBad = ['warning', 'error'].includes(message.type())
    if (isBad && !isRefusedFault) complaints.push(message.text())
  })
  context.on('weberror', (error) => complaints.push(String(error.error())))
  return { context, requests, complaints }
}
