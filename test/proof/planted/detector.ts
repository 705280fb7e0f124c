/** The parts of the proof as detectors: each a process of its own, with one bug planted or none. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Claim } from '../claims.ts'
import type { Failure, Part } from '../part.ts'
import type { Bug } from './bug.ts'

export interface Detector {
  readonly name: 'model' | 'simulation' | 'nemesis'
  readonly script: string
  readonly flags: readonly string[]
  /** Left out of a quick run. */
  readonly isSlow: boolean
}

/** In the order of what they cost. The simulation and the nemesis stop at the first violation. */
export const DETECTORS: readonly Detector[] = [
  { name: 'simulation', script: 'test/proof/simulation/simulate.ts', flags: ['--seeds', '150'], isSlow: false },
  { name: 'model', script: 'test/proof/model/explore.ts', flags: ['--quick'], isSlow: false },
  { name: 'nemesis', script: 'test/proof/nemesis/nemesis.ts', flags: ['--quick'], isSlow: true },
]

export type Verdict =
  /** It went through and found nothing. */
  | { readonly kind: 'passed'; readonly seconds: number }
  | { readonly kind: 'found'; readonly seconds: number; readonly claim: Claim | undefined; readonly what: string }
  /** It broke down, or hung: no verdict at all. */
  | { readonly kind: 'crashed'; readonly seconds: number; readonly said: string }

export interface Errand {
  readonly detector: Detector
  readonly bug: Bug | undefined
  /** A directory for its files. */
  readonly directory: string
  readonly mostMs: number
  readonly signal: AbortSignal
}

export interface Answer {
  readonly verdict: Verdict
  /** The shipped files that it loaded. */
  readonly loaded: ReadonlySet<string>
}

const ROOT = join(import.meta.dirname, '../../..')
const HOOK = join(import.meta.dirname, 'hook.ts')
const LONGEST_SAID = 2_000
let errands = 0

export async function send({ detector, bug, directory, mostMs, signal }: Errand): Promise<Answer> {
  const report = join(directory, `${++errands}.json`)
  const loaded = join(directory, `${errands}.loaded`)
  const startedMs = performance.now()
  const child = spawn(process.execPath, [join(ROOT, detector.script), ...detector.flags, '--json', report], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      // By the environment and not by a flag: the processes that a detector starts inherit it.
      NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import ${JSON.stringify(HOOK)}`.trim(),
      TENURE_LOADED: loaded,
      ...(bug === undefined ? {} : { TENURE_BUG: bug.name }),
    },
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-LONGEST_SAID)
  })
  const stop = () => child.kill('SIGINT') // it stops what it has started
  const timer = setTimeout(stop, mostMs)
  signal.addEventListener('abort', stop)
  const [exitCode]: (number | null)[] = await once(child, 'close')
  clearTimeout(timer)
  signal.removeEventListener('abort', stop)
  const seconds = (performance.now() - startedMs) / 1_000
  const part: Part | undefined = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined
  const files = existsSync(loaded) ? readFileSync(loaded, 'utf8').split('\n') : []
  return { verdict: verdictOf(bug, exitCode ?? undefined, part, seconds, said), loaded: new Set(files) }
}

export function verdictOf(
  bug: Bug | undefined,
  exitCode: number | undefined,
  part: Part | undefined,
  seconds: number,
  said: string,
): Verdict {
  if (exitCode === 0 && part?.passed === true) return { kind: 'passed', seconds }
  const failure = exitCode === 1 && part?.passed === false ? tellingFailure(bug, part.failures) : undefined
  if (failure !== undefined) return { kind: 'found', seconds, claim: failure.claim, what: failure.what }
  const told = part?.failures.map(({ what }) => what).join('; ') ?? ''
  return { kind: 'crashed', seconds, said: `exit code ${exitCode ?? 'none'}. ${told} ${said}`.trim() }
}

/** A bug is found where a claim is seen broken, or a history shows what must not be: that something rare never came about is neither. */
function tellingFailure(bug: Bug | undefined, failures: readonly Failure[]): Failure | undefined {
  const ofClaims = failures.filter(({ claim }) => claim !== undefined)
  const expected = ofClaims.find(({ claim }) => claim !== undefined && bug?.claims.includes(claim)) ?? ofClaims[0]
  if (bug === undefined) return expected
  return expected ?? failures.find(({ trace }) => trace.length > 0)
}
