// @ts-nocheck
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const PROCESSES = ['race', 'differential', 'recipes', 'standing/processes']
const NOT_MUTATED = ['durable', 'node-cron', 's3']
/** Tests of the rules in memory kill most mutants, and take milliseconds; those on the wire come last. */
const LAST = ['middleware', 'stores', 'row', 'fencing', 'values', 'wire', 'lent-client', 'standing/election']

class CheapFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => LAST.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`))
    return files.toSorted((a, b) => rank(a) - rank(b))
  }
}

/**
 * Run against each mutant: the tests of functions/election, but for those that start processes or read the docs, and
 * those of modules that are not mutated.
 */
export default defineConfig({
  test: {
    include: ['test/election/**/*.test.ts'],
    exclude: [...PROCESSES, ...NOT_MUTATED].map((name) => `test/election/${name}.test.ts`),
    globalSetup: ['test/proof/mutation/simulated-dynamodb.ts'],
    sequence: { sequencer: CheapFirst },
    // Loading the AWS SDK anew for each file takes longer than most files.
    isolate: false,
    // An endless mutant is killed by the time-out of its test, which is cheaper than a new worker.
    testTimeout: 12_000,
    hookTimeout: 10_000,
    expect: { poll: { timeout: 10_000 } },
  },
})
