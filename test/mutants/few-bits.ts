/** What the narrow rings and one-time tables of models of few bits could give away. */
import type { Mutant } from './mutant.ts'

const shared = 'src/protections/shared'
const uniformity = 'test/secrecy/uniformity.test.ts'
const hidden = 'zeros to a quantized model stays hidden from a party that takes its own masks off'

const keystreams = (find: string, replace: string): Mutant['edits'][0] => ({
  file: `${shared}/correlations/keystreams.ts`,
  find,
  replace,
})

export const fewBits: readonly Mutant[] = [
  {
    name: 'two blinded values of a layer of few bits share the owner’s mask',
    edits: [
      {
        file: `${shared}/profiles/lowbit/block.ts`,
        find: 'weightIndex(first), ring)',
        replace: "weightIndex(first.role === 'down' ? { ...first, role: 'out' } : first), ring)",
      },
    ],
    caughtBy: {
      file: 'test/secrecy/streams.test.ts',
      test: 'quantized encoder opens to the server with a stream of its own',
    },
  },
  {
    name: 'the index of a small table is opened without a mask',
    edits: [
      keystreams(
        'if (bytes > 0) prg.words(value.stream,',
        "if (bytes > 0 && (value.kind === 'masked' || value.ring > 10)) prg.words(value.stream,",
      ),
    ],
    caughtBy: { file: uniformity, test: hidden },
  },
  {
    name: 'masks of wide openings come from bytes',
    edits: [
      keystreams(
        "value.kind === 'masked' || value.isWide ? 8 : laneBytes(value.maskRing)",
        "value.kind === 'masked' || value.isWide ? 8 : 1",
      ),
    ],
    caughtBy: { file: uniformity, test: hidden },
  },
  {
    name: 'one-time tables are dealt in the clear',
    edits: [
      keystreams(
        'if (bytes > 0) prg.words(slotStream(step, slot),',
        "if (bytes > 0 && slot.name !== 'table') prg.words(slotStream(step, slot),",
      ),
      keystreams(
        'prg.raw(slotStream(step, slot),',
        "if (slot.name !== 'table') prg.raw(slotStream(step, slot),",
      ),
    ],
    caughtBy: {
      file: uniformity,
      test: 'zeros to a quantized model leaves nothing but uniform words on all wires',
    },
  },
  {
    name: 'a stationary mask is as narrow as the weights, so that the dealer sees columns’ scales',
    edits: [
      {
        file: `${shared}/weights/stationary.ts`,
        find: '  return words',
        replace: '  return words.map((v, i) => (i % 8 === 0 ? v : 0))',
      },
    ],
    caughtBy: {
      file: `${shared}/weights/stationary.test.ts`,
      test: 'however small a weight is, its mask fills the ring',
    },
  },
]
