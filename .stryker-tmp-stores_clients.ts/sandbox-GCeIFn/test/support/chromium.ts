/** Debian's Chromium without a screen, for pages on loopback. */
// @ts-nocheck

import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

/** Prevents requests to the internet that the browser sends on its own. */
const QUIET = [
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
]

/** `CHROMIUM` in the environment, else the first one on the path; undefined if there is none. */
export function chromiumPath(): string | undefined {
  const { CHROMIUM, PATH = '' } = process.env
  return (
    CHROMIUM ??
    PATH.split(delimiter)
      .map((directory) => join(directory, 'chromium'))
      .find(existsSync)
  )
}

/** A new browser with an empty profile. @throws Error that says what to install */
export async function launchChromium(): Promise<Browser> {
  const executablePath = chromiumPath()
  if (executablePath === undefined) {
    throw new Error('Chromium is missing: install it (apt-get install chromium), or set CHROMIUM to its path')
  }
  // Its sandbox needs rights that containers and root lack; it opens only our own page.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', ...QUIET] })
}
