import '../globals.ts' // before modules that keep a clock
import { enter } from '../globals.ts'
import { Scene } from './scene.ts'

/** Of the trace of a failure. */
const SHOWN_LINES = 80

/** Runs one history for each seed, and stops at the first that breaks a promise. */
export async function explore({ from, seeds }: { readonly from: number; readonly seeds: number }) {
  const figures = { histories: 0, campaigns: 0, tenures: 0, requests: 0 }
  for (let seed = from; seed < from + seeds; seed++) {
    const scene = await runScene(seed)
    figures.histories++
    figures.campaigns += scene.campaigns
    figures.tenures += scene.tenures
    figures.requests += scene.network.requests
    if (scene.violation === undefined) continue
    const trace = [scene.lines[0], ...scene.lines.slice(1).slice(-SHOWN_LINES)]
    return { failure: [`Seed ${seed}: ${scene.violation}`, ...trace].join('\n'), figures }
  }
  return { failure: '', figures }
}

export async function runScene(seed: number): Promise<Scene> {
  const scene = new Scene(seed)
  enter(scene.timeline)
  try {
    await scene.run()
  } finally {
    enter(undefined)
  }
  return scene
}
