// @ts-nocheck
import type { Bug } from './bug.ts'
import { acquireBugs } from './bugs/acquire.ts'
import { effectBugs } from './bugs/effects.ts'
import { handOverBugs } from './bugs/hand-over.ts'
import { holderBugs } from './bugs/holder.ts'
import { standingBugs } from './bugs/standing.ts'

export const BUGS: readonly Bug[] = [...acquireBugs, ...holderBugs, ...handOverBugs, ...effectBugs, ...standingBugs]
