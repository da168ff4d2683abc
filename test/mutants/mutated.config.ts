/** Runs tests against a mutant: that which `SOTTO_MUTANT` names. */
import { mergeConfig } from 'vitest/config'
import base from '../../vitest.config.ts'
import { mutants } from './list.ts'
import { planting, root } from './mutant.ts'

const name = process.env.SOTTO_MUTANT
const mutant = mutants.find((m) => m.name === name)
if (!mutant) throw new Error(`There is no mutant "${name}".`)

export default mergeConfig(base, {
  root,
  plugins: [planting(mutant)],
  // One file, and whoever runs it runs several at a time. A mutant may leave its parties waiting for each other.
  test: { maxWorkers: 1, testTimeout: 60_000 },
})
