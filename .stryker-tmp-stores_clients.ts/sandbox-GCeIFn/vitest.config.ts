// @ts-nocheck
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const limits = { testTimeout: 30_000, hookTimeout: 60_000, expect: { poll: { timeout: 10_000 } } }
const globalSetup = ['test/support/dynamodb-local.ts']

/** `npm run proof PART`. Planted bugs run two processes at a time. */
const proofParts = ['model', 'simulation', 'fuzz', 'nemesis', 'planted'].map((name) => ({
  test: {
    name,
    include: [`test/proof/${name}/*.proof.ts`],
    ...(name === 'nemesis' ? { globalSetup } : {}),
    execArgv: ['--max-semi-space-size=64'], // in MB: histories make so much garbage that it takes a tenth of the time
    testTimeout: 1_800_000,
    maxConcurrency: 2,
  },
}))

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['**/node_modules/**', 'test/deploy/**', 'test/browser/**', 'test/local/whole/**'],
          globalSetup,
          ...limits,
        },
      },
      // Whole local runs as processes, which mostly wait: `npm run test:local`.
      { test: { name: 'local', include: ['test/local/whole/**/*.test.ts'], globalSetup, ...limits } },
      ...proofParts,
    ],
    // The longest files mostly wait, for leases and retries.
    maxWorkers: Math.max(3, availableParallelism()),
    coverage: {
      provider: 'v8',
      include: ['functions/**/*.ts'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: { 'functions/election/**/*.ts': { lines: 98 } },
    },
  },
})
