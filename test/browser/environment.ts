/**
 * Looks for the browser once for the whole run; tests learn by `inject('hasChromium')` whether there is one. Where there is
 * none they are skipped, with one line that says why; with TENURE_BROWSER_REQUIRED=1, as in CI, the run fails with that line.
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
  const need = 'they need Chromium: install it (Debian: apt-get install chromium), or name its program in CHROMIUM'
  if (process.env['TENURE_BROWSER_REQUIRED'] === '1') throw new Error(`The browser tests cannot run: ${need}`)
  console.warn(`Browser tests are skipped: ${need}`)
}
