/** Bugs by which the owner would learn more of values' ranges than it should, or less. */
import type { Mutant } from './mutant.ts'

const shared = 'src/protections/shared'

export const ranges: readonly Mutant[] = [
  {
    name: 'what an alarm releases is the fingerprints’ difference itself',
    edits: [
      {
        file: `${shared}/ops/concealed.ts`,
        find: 'fieldProduct(word, right[i])',
        replace: 'fieldProduct(word, right.length && i >= 0 ? 1 : 0)',
      },
    ],
    caughtBy: {
      file: `${shared}/ops/concealed.test.ts`,
      test: 'tells of 1 no more than that it is not zero',
    },
  },
  {
    name: 'attention’s values are not held to their range',
    edits: [
      {
        file: `${shared}/profiles/fixed/attention.ts`,
        find: 'block.checks.within(vShare, v, { bits: s.valueBits })',
        replace: '',
      },
    ],
    caughtBy: {
      file: `${shared}/profiles/fixed/range-checks.test.ts`,
      test: 'llama opens no value unseen but those that cannot leave their range',
    },
  },
  {
    name: 'rows of padding raise alarms',
    edits: [
      {
        file: `${shared}/released.ts`,
        find: 'if (padding[first + Math.floor(i / value.width)]) return',
        replace: 'if (first + padding.length < 0) return',
      },
    ],
    caughtBy: {
      file: `${shared}/released.test.ts`,
      test: 'a row that is out of range is an error that names the place, unless it is padding',
    },
  },
]
