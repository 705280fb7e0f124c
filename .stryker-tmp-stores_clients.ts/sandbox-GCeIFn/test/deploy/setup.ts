/**
 * Installs MiniStack, and starts it by `launch-ministack.py`, once for all test files, which get it by
 * `inject('emulator')`. If it cannot be installed, the tests are skipped with a warning; with TENURE_DEPLOY_REQUIRED=1,
 * as in CI, the run fails instead.
 *
 * TENURE_MINISTACK_VENV names a virtual environment to keep, which makes repeated runs faster.
 */
// @ts-nocheck

import { spawn } from 'node:child_process'
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { freePort } from '../../infra/programs/dynamodb-local.ts'
import { guard } from '../../infra/programs/watchdog.ts'
import { ACCOUNT, awsEnvironment, REGION } from './emulator.ts'
import { runProgram, until } from './program.ts'

/** Pinned, because the launcher replaces functions inside MiniStack. */
const PACKAGE = 'ministack==1.5.33'

/** Before the first customer of the sample is due; see infra/local/billing/generate.ts. */
const CLOCK_START = '2024-01-30T08:00:00Z'

/** How long Lambda waits before it retries an event: longer than the lease of a dead leader, as on AWS. */
const RETRY_BASE_S = 4

/** This machine cannot run the emulator. The message is one line. */
class UnavailableError extends Error {
  override readonly name = 'UnavailableError'
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const temporary = await mkdtemp(join(tmpdir(), 'tenure-deploy-'))
  const remove = () => rm(temporary, { recursive: true, force: true, maxRetries: 5 })
  try {
    const bin = await installMiniStack(process.env['TENURE_MINISTACK_VENV'] || join(temporary, 'venv'), temporary)
    const directory = join(temporary, 'files')
    await mkdir(directory)
    const ministack = await startMiniStack(bin, directory)
    project.provide('emulator', { url: ministack.url, directory })
    return async () => {
      await ministack.stop()
      await remove()
    }
  } catch (error) {
    await remove()
    if (!(error instanceof UnavailableError) || process.env['TENURE_DEPLOY_REQUIRED'] === '1') throw error
    console.warn(`Deployment tests are skipped: ${error.message}`)
    project.provide('emulator', undefined)
    return async () => {}
  }
}

/**
 * @param temporary a directory for temporary files
 * @returns the directory of the virtual environment's programs
 * @throws UnavailableError if python3, its venv or the package index is missing
 */
async function installMiniStack(venv: string, temporary: string): Promise<string> {
  const bin = join(venv, 'bin')
  const marker = join(venv, `${PACKAGE}.installed`)
  if (existsSync(marker)) return bin
  const run = async (program: string, ...args: readonly string[]) => {
    const { exitCode, output } = await runProgram(program, args, { env: { ...process.env, TMPDIR: temporary } })
    if (exitCode === 0) return
    const command = [program, ...args.slice(0, 3)].join(' ')
    const need = `Python 3.10 or newer with venv, and a package index with ${PACKAGE}`
    throw new UnavailableError(`they need ${need}; \`${command}\` failed: ${output.trim().split('\n').at(-1)}`)
  }
  await run('python3', '-m', 'venv', venv)
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
  await run(join(bin, 'python'), ...pip, PACKAGE)
  writeFileSync(marker, '')
  return bin
}

/** @throws Error with MiniStack's log if it does not start */
async function startMiniStack(bin: string, directory: string) {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const log = join(directory, 'ministack.log')
  const output = openSync(log, 'w')
  const child = spawn(join(bin, 'python'), [join(import.meta.dirname, 'launch-ministack.py')], {
    cwd: directory,
    env: {
      ...awsEnvironment(url, directory),
      // MiniStack runs functions by the first `node` on the path.
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      MINISTACK_ACCOUNT_ID: ACCOUNT,
      MINISTACK_REGION: REGION,
      AUTH: 'true', // enforces IAM policies
      LAMBDA_ASYNC_RETRY_BASE_SECONDS: String(RETRY_BASE_S),
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
    child.stdin?.end() // the launcher then kills its process group, with the processes of the functions
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
    throw new Error(`MiniStack could not start. Its log ends:\n${readFileSync(log, 'utf8').slice(-4000)}`, { cause })
  }
}
