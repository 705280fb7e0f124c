// @ts-nocheck
import '../globals.ts' // before modules that keep a clock
import type { Violation } from '../../result.ts'
import { within } from '../globals.ts'
import { Scene } from './scene.ts'

/** Of the trace of a failure. */
const SHOWN_LINES = 80

/** Runs one history for each seed, and stops at the first that breaks a promise. */
export async function explore({ from, seeds }: { readonly from: number; readonly seeds: number }) {
  const figures = { 'histories of servers': 0, campaigns: 0 }
  const violations: Violation[] = []
  for (let seed = from; seed < from + seeds && violations.length === 0; seed++) {
    const { campaigns, violation, lines } = await runScene(seed)
    figures['histories of servers']++
    figures.campaigns += campaigns
    const trace = [`Seed ${seed}`, ...lines.slice(0, 1), ...lines.slice(1).slice(-SHOWN_LINES)]
    if (violation !== undefined) violations.push({ ...violation, trace })
  }
  return { violations, figures }
}

export async function runScene(seed: number): Promise<Scene> {
  const scene = new Scene(seed)
  await within(
    scene.timeline,
    () => scene.run(),
    (what) => scene.broken(undefined, what),
  )
  return scene
}
