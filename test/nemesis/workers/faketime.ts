/** Debian's libfaketime, where it is installed: a process whose own `Date.now()` is off, not only the library's clock. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** The environment of a process whose wall clock is ahead by so much; its monotonic clock, which nobody sets, is not. */
export type FakeClock = (offsetMs: number) => Readonly<Record<string, string>>

export async function findFakeClock(env: NodeJS.ProcessEnv): Promise<FakeClock | undefined> {
  const library = await libraryPath(env)
  if (library === undefined) return undefined
  const preload = [library, ...(env['LD_PRELOAD'] ? [env['LD_PRELOAD']] : [])].join(':')
  return (offsetMs) => ({
    LD_PRELOAD: preload,
    FAKETIME: `${offsetMs < 0 ? '-' : '+'}${Math.abs(offsetMs) / 1_000}s`,
    DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1', // its name in newer versions
  })
}

/** The command knows where its library is. */
async function libraryPath(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { LD_PRELOAD: _ours, ...bare } = env
  try {
    const { stdout } = await promisify(execFile)('faketime', ['-f', '+0s', 'printenv', 'LD_PRELOAD'], { env: bare })
    return stdout.trim() || undefined
  } catch {
    return undefined
  }
}
