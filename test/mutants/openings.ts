/** Openings that show more than their ring. */
import type { Mutant } from './mutant.ts'

const shared = 'src/protections/shared'
const uniformity = 'test/secrecy/uniformity.test.ts'

export const openings: readonly Mutant[] = [
  {
    name: 'two rows of a pass share their masks',
    edits: [
      {
        file: `${shared}/prg.ts`,
        find: 'this.#words[1] = serial % 4294967296',
        replace: 'this.#words[1] = (serial - (serial % 2)) % 4294967296',
      },
      {
        file: `${shared}/prg.ts`,
        find: 'const low = serial % 4294967296',
        replace: 'const low = (serial - (serial % 2)) % 4294967296',
      },
    ],
    caughtBy: { file: uniformity, test: 'an ordinary input leaves nothing but uniform words on all wires' },
  },
  {
    name: 'an opening is not reduced in its ring',
    edits: [
      {
        file: `${shared}/ops/open.ts`,
        find: 'p.plus(less, type.offset) : less, bits)]',
        replace: 'p.plus(less, type.offset) : less, bits + 1)]',
      },
      {
        file: `${shared}/ops/open.ts`,
        find: 'p.add(p.packed(bits), p.packed(bits)), bits))])',
        replace: 'p.add(p.packed(bits + 1), p.packed(bits + 1)), bits))])',
      },
      {
        file: `${shared}/ops/open.ts`,
        find: "wire: { from: 'both', layout, width, bits },",
        replace: "wire: { from: 'both', layout, width, bits: bits + 1 },",
      },
    ],
    caughtBy: {
      file: 'test/secrecy/streams.test.ts',
      test: 'llama, private opens within the mask’s ring',
    },
  },
  {
    name: 'masks of openings are a bit narrower than their ring',
    edits: [
      {
        file: `${shared}/ops/open.ts`,
        find: 'const less = p.sub(p.lanes(), p.packed(maskBits(out)))',
        replace: 'const less = p.sub(p.lanes(), p.reduce(p.packed(maskBits(out)), bits - 1))',
      },
    ],
    caughtBy: { file: uniformity, test: 'zeros leaves nothing but uniform words on all wires' },
  },
]
