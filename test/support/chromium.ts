/** Debian's Chromium, without a screen, for pages on loopback. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']
/** What it would otherwise ask of the internet by itself. */
const QUIET = [
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
]

/** Where it is: `CHROMIUM` in the environment, else on the path; undefined where there is none. */
export function chromiumPath(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const directories = (env['PATH'] ?? '').split(delimiter)
  const found = directories.flatMap((directory) => NAMES.map((name) => join(directory, name))).find(isExecutable)
  return env['CHROMIUM'] ?? found
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** A new browser with a new, empty profile. @throws Error that says what to install */
export async function launchChromium(): Promise<Browser> {
  const executablePath = chromiumPath()
  if (executablePath === undefined) {
    throw new Error('There is no Chromium: install it (apt-get install chromium), or name it in CHROMIUM')
  }
  // Its sandbox needs rights that containers and root do not have; nothing but our own page is opened.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', ...QUIET] })
}
