/** Runs every mutant's test against it, and writes what came of them: `tsx test/mutants/run.ts OUT.json`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createVitest } from 'vitest/node'
import { control, mutants } from './list.ts'
import { root } from './mutant.ts'

/** By mutant: the named test's outcomes, one a row of a table of tests. None where its file could not be loaded. */
export type Outcomes = Readonly<Record<string, readonly { readonly test: string; readonly state: string }[]>>

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

async function run(): Promise<Outcomes> {
  // In one process: each mutant has its sources, and none has to wait for a start of its own.
  const vitest = await createVitest('test', {
    config: join(root, 'test/mutants/mutated.config.ts'),
    watch: false,
    reporters: [{}],
  })
  try {
    const specifications = [control, ...mutants].map(({ name, caughtBy }) => {
      const project = vitest.projects.find((one) => one.name === name)!
      const testNamePattern = new RegExp(`^${literally(caughtBy.test)}`)
      return project.createSpecification(join(root, caughtBy.file), { testNamePattern })
    })
    const { testModules } = await vitest.runTestSpecifications(specifications)
    return Object.fromEntries(
      testModules.map(({ project, children }) => [
        project.name,
        [...children.allTests()]
          .map((test) => ({ test: test.fullName, state: test.result().state }))
          .filter(({ state }) => state !== 'skipped'),
      ]),
    )
  } finally {
    await vitest.close()
  }
}

writeFileSync(process.argv[2], JSON.stringify(await run()))
