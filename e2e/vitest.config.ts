/** Tests in a real browser against real processes: `npx vitest run --config e2e/vitest.config.ts`. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['e2e/**/*.test.ts'],
    globalSetup: ['test/support/built/setup.ts', 'e2e/support/demo.ts'],
    // Parties and browser mostly wait for one another. One WebGPU device at a time is all that software offers: it is one
    // file's.
    maxWorkers: 2,
    // A condition that is waited for comes when the machine has time for it.
    expect: { poll: { timeout: 300_000 } },
    pool: 'forks',
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
})
