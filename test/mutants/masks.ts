/** Masks that are used twice, or that hide nothing. */
import type { Mutant } from './mutant.ts'

const shared = 'src/protections/shared'
const once = 'test/secrecy/once.test.ts'

/** Another generator of the server's masks, at server and dealer alike: `words` is the body of `Prg.words`. */
const generator = (words: string): Mutant['edits'] => [
  {
    file: `${shared}/prg.ts`,
    find: '/** n words from each start (in words), widened to lanes. */',
    replace: `
export class OtherPrg extends Prg {
  override words(stream: number, serial: number, width: number, out: Uint8Array): void {
    ${words}
  }
}
`,
  },
  {
    file: `${shared}/session/deal-pass.ts`,
    find: "import { type OwnerKeys, Prg } from '../prg.ts'",
    replace: "import { OtherPrg, type OwnerKeys, Prg } from '../prg.ts'",
  },
  {
    file: `${shared}/session/deal-pass.ts`,
    find: 'server: new Prg(kernels, keys.server),',
    replace: 'server: new OtherPrg(kernels, keys.server),',
  },
  {
    file: `${shared}/session/server-session.ts`,
    find: "import { Prg } from '../prg.ts'",
    replace: "import { OtherPrg } from '../prg.ts'",
  },
  {
    file: `${shared}/session/server-session.ts`,
    find: 'masks: new Prg(this.#ker',
    replace: 'masks: new OtherPrg(this.#ker',
  },
]

export const masks: readonly Mutant[] = [
  {
    name: 'the server’s masks are shared by all rows of a pass',
    edits: generator('super.words(stream, 0 * serial, width, out)'),
    caughtBy: { file: once, test: 'a private chat masks every row of every opening at the server' },
  },
  {
    name: 'the server masks nothing',
    edits: generator('if (stream + serial + width >= 0) out.fill(0)'),
    caughtBy: { file: once, test: 'a private chat masks every row of every opening at the server' },
  },
  {
    name: 'the key of the server’s masks is the same in every pass',
    edits: [
      {
        file: `${shared}/session/dealer-passes.ts`,
        find: 'randomKey = () => crypto.getRandomValues(new Uint8Array(KEY_BYTES)),',
        replace: 'randomKey = () => new Uint8Array(KEY_BYTES).fill(7),',
      },
    ],
    caughtBy: { file: once, test: 'a private chat has a new key of the server’s masks in every pass' },
  },
  {
    name: 'one mask of the owner’s hides two values',
    edits: [
      {
        file: `${shared}/ops/open.ts`,
        find: '(step, MASK_STREAM)',
        replace: '(step & ~7, MASK_STREAM)',
      },
    ],
    caughtBy: { file: once, test: 'a public chat reads no block of a keystream for a second value' },
  },
  {
    name: 'a keystream’s nonce lacks the row',
    edits: [
      {
        file: `${shared}/prg.ts`,
        find: 'this.#words[1] = serial % 4294967296',
        replace: 'this.#words[1] = 0',
      },
      {
        file: `${shared}/prg.ts`,
        find: 'const low = serial % 4294967296',
        replace: 'const low = 0 * serial',
      },
    ],
    caughtBy: { file: once, test: 'a public chat reads no block of a keystream for a second value' },
  },
  {
    name: 'rows that were rolled back are masked as before',
    edits: [
      {
        file: `${shared}/session/owner-session.ts`,
        find: 'plans.shapeOf({ base, rows, serial: first,',
        replace: 'plans.shapeOf({ base, rows, serial: first && base,',
      },
      {
        file: `${shared}/session/pass-messages.ts`,
        find: 'if (shape.serial < this.#next)',
        replace: 'if (shape.serial < 0)',
      },
    ],
    caughtBy: { file: once, test: 'a public chat reads no block of a keystream for a second value' },
  },
  {
    name: 'serials may be used again',
    edits: [
      {
        file: `${shared}/session/pass-messages.ts`,
        find: 'this.#next = shape.serial + shape.rows',
        replace: 'this.#next = shape.serial',
      },
    ],
    caughtBy: {
      file: `${shared}/session/serials.test.ts`,
      test: 'rows used before are refused in any order of admissions',
    },
  },
  {
    name: 'slots of a step share a keystream',
    edits: [
      {
        file: `${shared}/correlations/keystreams.ts`,
        find: '(step.id, slotIndex(step, slot))',
        replace: '(step.id, slotIndex(step, slot) >> 1)',
      },
    ],
    caughtBy: {
      file: 'test/secrecy/streams.test.ts',
      test: 'llama, private gives every dealt slot a stream of its own',
    },
  },
  {
    name: 'tables are corrected under another slot’s keystream',
    edits: [
      {
        file: `${shared}/correlations/keystreams.ts`,
        find: 'prg.raw(slotStream(step, slot), shape.serial + row, out,',
        replace: 'prg.raw(slotStream(step, slot) + 1, shape.serial + row, out,',
      },
    ],
    caughtBy: { file: once, test: 'a private chat reads at the owner what the dealer corrected' },
  },
  {
    name: 'the owner’s share of its input comes from the key that the dealer has',
    edits: [
      {
        file: `${shared}/session/owner-session.ts`,
        find: 'this.#secret = new Prg(kernels, crypto.getRandomValues(new Uint8Array(32)))',
        replace: 'this.#secret = new Prg(kernels, deriveKey(kernels, setup.seed, MASK_KEY))',
      },
    ],
    caughtBy: {
      file: 'test/secrecy/keys.test.ts',
      test: 'in a pass the same seed and input give the same masks ahead, but never the same share of the input',
    },
  },
]
