/** `npm run test:deploy`: deploys the stacks with the CDK CLI to an AWS emulator. */
// @ts-nocheck

import { basename } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The life of a stack: each file continues with the account that the file before it left. Other files come last. */
const ORDER = ['deploy', 'announced', 'updates']

class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => positionOf(a) - positionOf(b))
  }
}

function positionOf({ moduleId }: TestSpecification): number {
  const position = ORDER.indexOf(basename(moduleId, '.test.ts'))
  return position === -1 ? ORDER.length : position
}

export default defineConfig({
  test: {
    include: ['test/deploy/**/*.test.ts'],
    globalSetup: ['test/deploy/setup.ts'],
    fileParallelism: false,
    // Processes would outlive a killed run for a while, and so would the programs that they started.
    pool: 'threads',
    sequence: { sequencer: InOrder },
    bail: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['verbose'],
  },
})
