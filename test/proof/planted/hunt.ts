/** Gives every bug to one detector after the other, until one of them finds it. */
import type { Bug } from './bug.ts'
import { type Answer, type Detector, send, type Verdict } from './detector.ts'

export interface Hunted {
  readonly bug: Bug
  /** Who found it; undefined where nobody did. */
  readonly by: Detector | undefined
  /** The last word. */
  readonly verdict: Verdict | undefined
  /** Those that broke down over it. */
  readonly crashes: readonly string[]
  readonly seconds: number
}

export interface Hunt {
  readonly bugs: readonly Bug[]
  readonly detectors: readonly Detector[]
  readonly directory: string
  readonly signal: AbortSignal
  readonly told: (hunted: Hunted) => void
}

/** Two at a time: the machine that this should run on has two cores. */
const LANES = 2
const SLOWEST_DETECTOR_MS = 300_000
/** A bug may make a detector look at much more than it would without. */
const PATIENCE = 4
const LEAST_MS = 60_000

/** @throws Error where a detector does not pass without any bug: what it says about bugs would mean nothing */
export async function hunt({ bugs, detectors, directory, signal, told }: Hunt): Promise<Hunted[]> {
  const sound = new Map<Detector, Promise<Answer>>()

  /** Without a bug, once, and only where it is needed. */
  function baseline(detector: Detector): Promise<Answer> {
    const known = sound.get(detector)
    if (known !== undefined) return known
    const asked = assertSound(detector)
    sound.set(detector, asked)
    return asked
  }

  async function assertSound(detector: Detector): Promise<Answer> {
    const answer = await send({ detector, bug: undefined, directory, mostMs: SLOWEST_DETECTOR_MS, signal })
    signal.throwIfAborted()
    const { verdict } = answer
    if (verdict.kind === 'passed') return answer
    const why = verdict.kind === 'found' ? verdict.what : verdict.said
    throw new Error(`The ${detector.name} does not pass even without a bug, so that it cannot show any: ${why}`)
  }

  async function huntFor(bug: Bug): Promise<Hunted> {
    const startedMs = performance.now()
    const crashes: string[] = []
    const seconds = () => (performance.now() - startedMs) / 1_000
    let verdict: Verdict | undefined
    let other: Hunted | undefined
    for (const detector of detectors) {
      const { loaded, verdict: without } = await baseline(detector)
      if (!bug.edits.some(({ file }) => loaded.has(file))) continue // it never sees that code
      const mostMs = Math.max(LEAST_MS, PATIENCE * without.seconds * 1_000)
      verdict = (await send({ detector, bug, directory, mostMs, signal })).verdict
      signal.throwIfAborted()
      if (verdict.kind === 'found') {
        const hunted = { bug, by: detector, verdict, crashes, seconds: seconds() }
        const isExpected =
          bug.claims.length === 0 || (verdict.claim !== undefined && bug.claims.includes(verdict.claim))
        if (isExpected) return hunted
        other ??= hunted // the next one may see the claim break that the bug is there for
      }
      if (verdict.kind === 'crashed') crashes.push(`${detector.name}: ${verdict.said}`)
    }
    return other ?? { bug, by: undefined, verdict, crashes, seconds: seconds() }
  }

  const waiting = [...bugs]
  const found: Hunted[] = []
  const lane = async () => {
    for (let bug = waiting.shift(); bug !== undefined; bug = waiting.shift()) {
      const hunted = await huntFor(bug)
      found.push(hunted)
      told(hunted)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return bugs.flatMap((bug) => found.find((hunted) => hunted.bug === bug) ?? [])
}
