/** `npm run test:browser`: the page of a local run in Chromium. */
// @ts-nocheck

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    maxWorkers: 2, // each has a browser of its own
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Nothing waits that long unless it is wrong, or the machine very busy.
    expect: { poll: { timeout: 40_000 } },
  },
})
