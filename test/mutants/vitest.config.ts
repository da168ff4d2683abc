/** Planted bugs, each of which a named test has to find: `npm test -- mutants`. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/mutants/mutants.suite.ts'],
    // All of them are tried before the first outcome is looked at.
    hookTimeout: 1_200_000,
    pool: 'forks',
  },
})
