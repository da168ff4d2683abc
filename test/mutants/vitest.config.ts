/** Planted bugs, each of which a named test has to find: `npm test -- mutants`. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/mutants/mutants.suite.ts'],
    // Each spawns a run of its own.
    maxConcurrency: 2,
    testTimeout: 600_000,
    pool: 'forks',
  },
})
