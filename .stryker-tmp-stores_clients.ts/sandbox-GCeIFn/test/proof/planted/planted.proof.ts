/** Plants one bug after the other into the shipped code: the model or a simulation must find each of them. */
// @ts-nocheck

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, it } from 'vitest'
import type { Violation } from '../result.ts'
import type { Bug } from './bug.ts'
import { BUGS } from './bugs.ts'

/** `servers`: the simulation of those that stand. */
const DETECTORS = ['simulation', 'model', 'servers'] as const
type Detector = (typeof DETECTORS)[number]

const [HOOK, DETECT] = [join(import.meta.dirname, 'hook.ts'), join(import.meta.dirname, 'detect.ts')]
/** Of the time that a history takes, a tenth goes to the garbage collector with Node's default of 16. */
const FLAGS = ['--max-semi-space-size=64']
/** A bug may make a detector look at more than it would without. */
const LONGEST_RUN_MS = 300_000

it.for(DETECTORS)('the %s finds nothing without a bug', { timeout: LONGEST_RUN_MS }, async (detector, context) => {
  context.expect(await violations(detector, undefined, context.signal)).toEqual([])
})

describe.concurrent('a part of the proof finds', { timeout: DETECTORS.length * LONGEST_RUN_MS }, () => {
  it.for(BUGS.map((bug) => [bug.name, bug] as const))('%s', async ([, bug], { task, signal }) => {
    const seen: string[] = []
    for (const detector of detectorsOf(bug)) {
      const found = await violations(detector, bug, signal)
      const expected = found.find((violation) => isExpected(violation, bug))
      if (expected === undefined) {
        seen.push(...found.map(({ claim, what }) => `${detector}: ${claim ?? 'no claim'}, ${what}`))
        continue
      }
      const { claim } = expected
      task.meta.figures = { bugs: 1, [`found by the ${detector}`]: 1 }
      task.meta.seenToBreak = claim === undefined ? [] : [{ claim, how: `${bug.name} (${detector})` }]
      return
    }
    const claims = bug.claims.join(' or ') || 'anything'
    throw new Error([`Nothing saw it break ${claims}.`, ...seen].join('\n'))
  })
})

/** The simulation of Lambda and the model do not run what only servers do. */
function detectorsOf({ edits }: Bug): readonly Detector[] {
  const isOfServers = edits.every(({ file }) => file.startsWith('functions/election/standing/'))
  return DETECTORS.filter((detector) => isOfServers === (detector === 'servers'))
}

/** If the bug breaks no claim, it must leave a history that shows what is wrong. */
function isExpected({ claim, trace }: Violation, { claims }: Bug): boolean {
  return claims.length === 0 ? trace.length > 0 : claim !== undefined && claims.includes(claim)
}

/** @throws Error if the detector broke down, which shows nothing */
async function violations(detector: Detector, bug: Bug | undefined, signal: AbortSignal): Promise<Violation[]> {
  const env = { ...process.env, ...(bug === undefined ? {} : { PLANTED_BUG: bug.name }) }
  const options = { env, signal, timeout: LONGEST_RUN_MS, maxBuffer: 64 * 1024 * 1024 }
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...FLAGS, '--import', HOOK, DETECT, detector],
    options,
  )
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
}
