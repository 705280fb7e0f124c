/**
 * Looks for the browser once for the whole run, for `inject('hasChromium')`. Without a browser the tests are skipped
 * with a warning; with TENURE_BROWSER_REQUIRED=1, as in CI, the run fails.
 */
import type { TestProject } from 'vitest/node'
import { chromiumPath } from '../support/chromium.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    hasChromium: boolean
  }
}

export default function setup(project: TestProject): void {
  const hasChromium = chromiumPath() !== undefined
  project.provide('hasChromium', hasChromium)
  if (hasChromium) return
  const need = 'they need Chromium: install it (Debian: apt-get install chromium), or set CHROMIUM to its path'
  if (process.env['TENURE_BROWSER_REQUIRED'] === '1') throw new Error(`The browser tests cannot run: ${need}`)
  console.warn(`Browser tests are skipped: ${need}`)
}
