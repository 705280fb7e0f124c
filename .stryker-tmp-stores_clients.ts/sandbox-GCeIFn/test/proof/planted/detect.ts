/** `node --import HOOK detect.ts model|simulation|servers` prints the violations that this part finds, as JSON. */
// @ts-nocheck

import type { Result } from '../result.ts'

const PARTS: Readonly<Record<string, () => Promise<Pick<Result, 'violations'>>>> = {
  model: async () => (await import('../model/search.ts')).explore({ quick: true }),
  simulation: async () => (await import('../simulation/simulate.ts')).simulate({ from: 1, seeds: 200, shrinks: false }),
  servers: async () => (await import('../simulation/standing/explore.ts')).explore({ from: 1, seeds: 100 }),
}
const { violations } = (await PARTS[process.argv[2] ?? '']?.()) ?? {}
process.stdout.write(`\n${JSON.stringify(violations)}\n`, () => process.exit())
