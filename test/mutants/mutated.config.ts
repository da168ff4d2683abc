/** Every mutant as a project of its own: the sources as they would be with it, and the file whose test has to find it. */
import { defineConfig } from 'vitest/config'
import base from '../../vitest.config.ts'
import { control, mutants } from './list.ts'
import { planting, root } from './mutant.ts'

export default defineConfig({
  root,
  test: {
    maxWorkers: 2,
    projects: [control, ...mutants].map((mutant) => ({
      root,
      plugins: [planting(mutant)],
      test: {
        ...base.test,
        name: mutant.name,
        include: [mutant.caughtBy.file],
        // Planted is what is loaded there: no programs are built.
        globalSetup: [],
        maxWorkers: 2,
        // A mutant may leave its parties waiting for each other.
        testTimeout: 60_000,
      },
    })),
  },
})
