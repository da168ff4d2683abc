/** Weights that are hidden by the same masks. */
import type { Mutant } from './mutant.ts'

const shared = 'src/protections/shared'

export const weights: readonly Mutant[] = [
  {
    name: 'the stationary masks are the same at every start of the server',
    edits: [
      {
        file: `${shared}/server/engine.ts`,
        find: 'fSeed: new Uint8Array(randomBytes(32)),',
        replace: 'fSeed: new Uint8Array(randomBytes(32)).map((_, i) => i),',
      },
    ],
    caughtBy: {
      file: `${shared}/server/engine.test.ts`,
      test: 'every start of the server hides its weights under masks of its own',
    },
  },
  {
    name: 'all weights share a stationary mask',
    edits: [
      {
        file: `${shared}/weights/stationary.ts`,
        find: '.raw(index, 0, words,',
        replace: '.raw(0 * index, 0, words,',
      },
    ],
    caughtBy: {
      file: `${shared}/weights/stationary.test.ts`,
      test: 'no two weights of a model, and no two keys, share a stationary mask',
    },
  },
]
