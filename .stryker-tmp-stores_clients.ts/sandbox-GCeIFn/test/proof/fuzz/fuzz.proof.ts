/** Hostile and nearly valid input for readers of what comes from outside. fast-check shrinks what breaks one. */
// @ts-nocheck

import { randomInt } from 'node:crypto'
import { it } from 'vitest'
import { announceTargets } from './targets/announce.ts'
import { electionTargets } from './targets/election.ts'
import { exampleTargets } from './targets/example.ts'
import { leaseRowTargets } from './targets/lease-row.ts'

const seed = Number(process.env['PROOF_SEED'] ?? randomInt(2 ** 31))
const numRuns = process.env['PROOF_QUICK'] === '1' ? 600 : 10_000
const targets = [...electionTargets, ...leaseRowTargets, ...announceTargets, ...exampleTargets]

it.for(targets)('$name is read as documented, or refused with a documented error', async (target, { task }) => {
  const { accepted, refused } = await target.check({ seed, numRuns })
  task.meta.figures = { readers: 1, 'inputs accepted': accepted, 'inputs refused': refused, seed: String(seed) }
})
