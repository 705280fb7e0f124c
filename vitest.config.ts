import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/deploy/**', 'test/browser/**'], // `npm run test:deploy`, `npm run test:browser`
    globalSetup: ['test/support/dynamodb-local.ts'],
    // The longest files mostly wait, for leases and retries.
    maxWorkers: Math.max(3, availableParallelism()),
    testTimeout: 30_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
    coverage: {
      provider: 'v8',
      include: ['functions/**/*.ts'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: { 'functions/election/**/*.ts': { lines: 98 } },
    },
  },
})
