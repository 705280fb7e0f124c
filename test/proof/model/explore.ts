import type { Result, Violation } from '../result.ts'
import { type Exploration, searchWorld } from './search.ts'
import { MOVES, type Move, SITUATIONS, type Situation } from './situations.ts'
import type { World } from './world.ts'
import { fullWorlds, quickWorlds } from './worlds.ts'

export interface Explored extends Result {
  /** Steps and situations that no world has reached. */
  readonly unreached: readonly (Move | Situation)[]
}

/** Explores every order of events in small worlds under the shipped rules, and stops at the first broken claim. */
export async function explore({ quick }: { readonly quick: boolean }): Promise<Explored> {
  const worlds = quick ? quickWorlds() : fullWorlds()
  const violations: Violation[] = []
  const seenToBreak: { claim: NonNullable<Violation['claim']>; how: string }[] = []
  const reached = new Set<Move | Situation>()
  let [explored, states, steps] = [0, 0, 0]
  for (const world of worlds) {
    const exploration = searchWorld(world)
    explored++
    states += exploration.states
    steps += exploration.steps
    for (const what of exploration.reached) reached.add(what)
    violations.push(...violationsIn(world, exploration))
    for (const claim of world.claims.broken) {
      const { trace = [] } = exploration.violations.get(claim) ?? {}
      const how = `${world.name}, in ${trace.filter((line) => !line.startsWith('the row')).length} steps`
      if (trace.length > 0) seenToBreak.push({ claim, how })
    }
    if (violations.length > 0) break
    await new Promise((resolve) => setImmediate(resolve)) // lets the test runner report
  }
  return {
    violations,
    figures: { worlds: `${explored} of ${worlds.length}`, states, steps },
    seenToBreak,
    unreached: [...MOVES, ...SITUATIONS].filter((what) => !reached.has(what)),
  }
}

function violationsIn({ name, claims }: World, { violations, isExhausted }: Exploration): readonly Violation[] {
  const broken = claims.hold.flatMap((claim) => violations.get(claim) ?? [])
  // If nothing breaks beyond a claim's precondition, the check is blind or the world too small.
  const unbroken = isExhausted ? claims.broken.filter((claim) => !violations.has(claim)) : []
  return [...broken, ...unbroken.map((claim) => ({ what: `${name}: ${claim} must break there, but holds`, trace: [] }))]
}
