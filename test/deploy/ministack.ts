/** Starts MiniStack on the loopback address, by the launcher `launch-ministack.py`, which says what it adds. */
import { spawn } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { freePort } from '../../infra/programs/dynamodb-local.ts'
import { guard } from '../../infra/programs/watchdog.ts'
import { ACCOUNT, awsEnvironment, CLOCK_START, REGION, RETRY_BASE_MS } from './aws.ts'
import { until } from './poll.ts'

export interface MiniStack {
  readonly url: string
  stop(): Promise<void>
}

/** @throws Error with what MiniStack said, where it does not start */
export async function startMiniStack(bin: string, directory: string): Promise<MiniStack> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const log = process.env['TENURE_MINISTACK_LOG'] || join(directory, 'ministack.log')
  const output = openSync(log, 'w')
  const child = spawn(join(bin, 'python'), [join(import.meta.dirname, 'launch-ministack.py')], {
    cwd: directory,
    env: {
      ...awsEnvironment(url, directory),
      // Functions run by the `node` that is first on the path: ours, whatever the machine has.
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      MINISTACK_ACCOUNT_ID: ACCOUNT,
      MINISTACK_REGION: REGION,
      AUTH: 'true', // what a role does not allow is denied
      LAMBDA_ASYNC_RETRY_BASE_SECONDS: String(RETRY_BASE_MS / 1000),
      TENURE_CLOCK_START: CLOCK_START,
      LOG_LEVEL: 'INFO',
    },
    stdio: ['pipe', output, output],
    detached: true,
  })
  guard(child)
  child.stdin?.on('error', () => {})
  let ended = false
  const end = new Promise<void>((resolve) => {
    const settle = () => {
      ended = true
      resolve()
    }
    child.once('exit', settle).once('error', settle)
  })
  const stop = async () => {
    child.stdin?.end() // the launcher then kills its group: itself and the functions' processes
    await end
  }
  try {
    await until('MiniStack answers', async () => {
      if (ended) throw new Error('MiniStack ended before it answered')
      const { ok } = await fetch(`${url}/_ministack/health`).catch(() => ({ ok: false }))
      return { done: ok, seen: ok ? 'an answer' : 'no answer' }
    })
    return { url, stop }
  } catch (cause) {
    await stop()
    throw new Error(`MiniStack could not start. It said:\n${readFileSync(log, 'utf8').slice(-4000)}`, { cause })
  }
}
