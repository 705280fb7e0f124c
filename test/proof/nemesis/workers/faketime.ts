/** Debian's libfaketime, where it is installed: a process whose own `Date.now()` is off, not only the library's clock. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { machineMs } from '../history.ts'

const historyModule = new URL('../history.ts', import.meta.url).href

/** The environment of a process whose wall clock is ahead by so much; its monotonic clock, which nobody sets, is not. */
export type FakeClock = (offsetMs: number) => Readonly<Record<string, string>>

/** Undefined where it is not installed, or does not do to Node what it is to do. */
export async function findFakeClock(env: NodeJS.ProcessEnv): Promise<FakeClock | undefined> {
  const library = await libraryPath(env)
  if (library === undefined) return undefined
  const preload = [library, ...(env['LD_PRELOAD'] ? [env['LD_PRELOAD']] : [])].join(':')
  const fakeClock: FakeClock = (offsetMs) => ({
    LD_PRELOAD: preload,
    FAKETIME: `${offsetMs < 0 ? '-' : '+'}${Math.abs(offsetMs) / 1_000}s`,
    DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1', // its name in newer versions
  })
  return (await isRight(fakeClock, env)) ? fakeClock : undefined
}

const TRIED_OFFSET_MS = 3_600_000
const STARTS_WITHIN_MS = 60_000

/** Off by as much as was said on the wall clock, and not at all on the one in which the histories are written. */
async function isRight(fakeClock: FakeClock, env: NodeJS.ProcessEnv): Promise<boolean> {
  const program = `import(${JSON.stringify(historyModule)}).then(({ machineMs }) => console.log(JSON.stringify([Date.now(), machineMs()])))`
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', program], {
      env: { ...env, ...fakeClock(TRIED_OFFSET_MS) },
    })
    const [wallMs, monotonicMs]: readonly number[] = JSON.parse(stdout)
    const isNear = (a: number, b = Number.NaN) => Math.abs(a - b) < STARTS_WITHIN_MS
    return isNear(Date.now() + TRIED_OFFSET_MS, wallMs) && isNear(machineMs(), monotonicMs)
  } catch {
    return false
  }
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
