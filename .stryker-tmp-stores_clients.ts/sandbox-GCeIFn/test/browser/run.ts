/** `npm start` for the browser tests. */
// @ts-nocheck

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const START = join(import.meta.dirname, '../../infra/local/start.ts')
const ADDRESS = /^Watch the election, and break it: (http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}\/)$/m

export interface Run {
  /** The address of its page. */
  readonly url: string
  /** Kills it, and deletes its temporary directory. */
  end(): Promise<void>
}

export async function startRun(...flags: readonly string[]): Promise<Run> {
  const directory = await mkdtemp(join(tmpdir(), 'tenure-browser-'))
  const env = { ...process.env, TMPDIR: directory, NO_COLOR: '1' }
  const child = spawn(process.execPath, [START, ...flags], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  const printed = Promise.withResolvers<string>()
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const [, url] = ADDRESS.exec(output) ?? []
      if (url !== undefined) printed.resolve(url)
    })
  }
  const end = async () => {
    child.kill('SIGKILL') // its watchdog ends what it has started
    await closed
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  }
  try {
    const url = await Promise.race([printed.promise, closed.then(() => undefined)])
    if (url === undefined) throw new Error(`It ended before it printed an address:\n${output}`)
    return { url, end }
  } catch (error) {
    await end()
    throw error
  }
}
