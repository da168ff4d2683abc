import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{src,tools,test,bench}/**/*.test.ts'],
    testTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
