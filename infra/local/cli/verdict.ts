/** What a run has shown: whether all is right, what a missing protection did, and whether it proves anything. */

import type { CallFault } from '../faults/fault.ts'
import type { Protection } from '../faults/protections.ts'
import type { HowItEnded } from '../run/task.ts'
import type { StartOptions } from './options.ts'
import { count } from './phrases.ts'
import { type Circumstances, faultsOf, type Summary } from './summary.ts'

export interface Verdict {
  /** Money or ticks that are wrong. */
  readonly faults: readonly string[]
  /** What each protection that was switched off would have prevented. */
  readonly harm: readonly string[]
  /** Why the run proves nothing, in sentences: what was asked for did not happen. */
  readonly inconclusive: readonly string[]
}

type Asked = Pick<StartOptions, 'killLeader' | 'freezeLeader' | 'chaos' | 'without'>

export function verdictOn(
  summary: Summary,
  struck: readonly CallFault[],
  asked: Asked,
  { cut, isInterrupted, undone }: Pick<HowItEnded, 'cut' | 'isInterrupted' | 'undone'>,
): Verdict {
  const circumstances: Circumstances = { cut, chaos: asked.chaos !== undefined }
  const effects = asked.without.map((control) => ({ control, effect: effectOf(control, summary, asked) }))
  const harm = effects.flatMap(({ control, effect }) =>
    effect === undefined ? [] : [`without the ${control}: ${effect}`],
  )
  const inconclusive = isInterrupted
    ? []
    : [
        ...undone,
        ...missedHit('killLeader', asked.killLeader, struck, summary),
        ...missedHit('freezeLeader', asked.freezeLeader, struck, summary),
        ...frozenForNothing(summary, struck, asked),
        ...(asked.chaos === undefined ? [] : tooCalm(summary, asked)),
        ...effects.flatMap(({ control, effect }) => (effect === undefined ? [WITHOUT_HARM[control]] : [])),
      ]
  return { faults: faultsOf(summary, circumstances), harm, inconclusive }
}

/** What the absence of a protection did; undefined where it did nothing. */
function effectOf(
  control: Protection,
  { completedTwice, lostUpdates, duplicateCharges }: Summary,
  { without }: Asked,
): string | undefined {
  // What was charged twice is at the gateway once more than in the ledger, too.
  const overwritten = lostUpdates - duplicateCharges
  switch (control) {
    case 'lease': {
      if (completedTwice === 0) return undefined
      const fences = `; ${count(overwritten, 'charge')} overwritten in the ledger, since each lease has a fence of its own`
      const completed = `${count(completedTwice, 'tick')} completed by more than one leader`
      return completed + (overwritten > 0 && !without.includes('fence') ? fences : '')
    }
    case 'fence': {
      return overwritten > 0
        ? `${count(overwritten, 'charge')} overwritten in the ledger by a replaced leader`
        : undefined
    }
    case 'key':
      return duplicateCharges > 0 ? `${count(duplicateCharges, 'charge')} too many` : undefined
  }
}

const WITHOUT_HARM: Readonly<Record<Protection, string>> = {
  lease: 'The lease was switched off, but no tick was completed by two leaders.',
  fence: 'The fence was switched off, but no write of a replaced leader did harm.',
  key: 'The key was switched off, but nobody was charged twice.',
}

const DONE = { killLeader: 'killed', freezeLeader: 'frozen' } as const

function missedHit(
  what: keyof typeof DONE,
  tick: number | undefined,
  struck: readonly CallFault[],
  { ticks }: Summary,
): string[] {
  if (tick === undefined || struck.some((fault) => fault.do === what)) return []
  const why = ticks < tick ? 'the run ended before it' : 'the tick charged too little'
  return [`The leader of tick ${tick} was not ${DONE[what]}: ${why}.`]
}

function frozenForNothing({ staleWritesRefused }: Summary, struck: readonly CallFault[], asked: Asked): string[] {
  const wasFrozen = asked.freezeLeader !== undefined && struck.some((fault) => fault.do === 'freezeLeader')
  if (!wasFrozen || staleWritesRefused > 0 || asked.without.length > 0) return []
  return [`The leader of tick ${asked.freezeLeader} was frozen, but no write of its was refused.`]
}

function tooCalm({ tookOver, staleWritesRefused }: Summary, { without }: Asked): string[] {
  return [
    ...(tookOver > 0 ? [] : ['No tick was completed by a successor of its first leader.']),
    ...(staleWritesRefused > 0 || without.includes('fence')
      ? []
      : ['No write of a replaced leader had to be refused.']),
  ]
}
