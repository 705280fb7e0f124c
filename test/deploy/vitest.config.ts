/** `npm run test:deploy`: deploys the stacks with the CDK's own command line against an AWS emulator. */
import { defineConfig } from 'vitest/config'
import { InOrder } from './order.ts'

export default defineConfig({
  test: {
    include: ['test/deploy/**/*.test.ts'],
    globalSetup: ['test/deploy/environment.ts'],
    // One account, one story: each file finds what the one before it left.
    fileParallelism: false,
    // Not processes, which outlive a killed run for a while, and with them the programs that they started.
    pool: 'threads',
    sequence: { sequencer: InOrder },
    bail: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['verbose'],
  },
})
