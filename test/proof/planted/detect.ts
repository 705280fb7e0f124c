/** `node --import HOOK detect.ts model|simulation` prints the violations that this part finds, as JSON. */
import type { Result } from '../result.ts'

async function run(part: string | undefined): Promise<Result> {
  switch (part) {
    case 'model':
      return (await import('../model/search.ts')).explore({ quick: true })
    case 'simulation':
      return (await import('../simulation/simulate.ts')).simulate({ from: 1, seeds: 150, shrinks: false })
    default:
      throw new RangeError(`There is no part "${part}" that detects bugs`)
  }
}

const { violations } = await run(process.argv[2])
process.stdout.write(`\n${JSON.stringify(violations)}\n`, () => process.exit())
