import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    globalSetup: ['test/support/built/setup.ts'],
    include: ['{src,tools,test,bench,scripts}/**/*.test.ts'],
    // Generous: beside other load everything takes many times as long, and a test that hangs is rare.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 300_000 } },
    pool: 'forks',
    // One more than the smallest machine has cores: much of what is tested waits for other processes.
    maxWorkers: 3,
  },
})
