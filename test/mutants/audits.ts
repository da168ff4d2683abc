/** Bugs that would make audits of the dealer worth nothing, or show more than a pass that no word was in. */
import type { Mutant } from './mutant.ts'

const session = 'src/protections/shared/session'
const audit = `${session}/audit.test.ts`
const shows = 'an audit shows keys of rehearsed passes, under which no word ever was, and serials are burnt'

export const audits: readonly Mutant[] = [
  {
    name: 'an audit compares nothing',
    edits: [
      {
        file: `${session}/audit.ts`,
        find: 'return equalBytes(expected, next.digest)',
        replace: 'return equalBytes(expected, expected)',
      },
    ],
    caughtBy: {
      file: audit,
      test: 'a dealer that deals wrongly is found where it changes the byte at 80, before a word is in any pass',
    },
  },
  {
    name: 'an audit deals again what it was sent the beginning of',
    edits: [
      {
        file: 'src/protections/shared/server/auditor.ts',
        find: 'async (bytes) => void hash.update(bytes),',
        replace: 'async (bytes) => void (bytes.length > 64 || hash.update(bytes)),',
      },
    ],
    caughtBy: { file: audit, test: 'an honest dealer passes, and answers stay as they are in a chat' },
  },
  {
    name: 'the key that is shown is that of another pass',
    edits: [
      {
        file: `${session}/rehearsal.ts`,
        find: 'await this.#show(audits, pass)',
        replace: 'await this.#show(audits, { ...pass, key: shown[0].key })',
      },
    ],
    caughtBy: { file: audit, test: 'an honest dealer passes, and answers stay as they are in a chat' },
  },
  {
    name: 'all passes of a session have one key',
    edits: [
      {
        file: 'src/protections/shared/prg.ts',
        find: 'nonce(PASS_KEYS, serial)',
        replace: 'nonce(PASS_KEYS, 0 * serial)',
      },
    ],
    caughtBy: { file: audit, test: shows },
  },
  {
    name: 'serials of a rehearsed pass are not burnt',
    edits: [
      {
        file: `${session}/product-pool.ts`,
        find: 'this.#rowsFrom(taken.first + rows)',
        replace: 'this.#rowsFrom(taken.first)',
      },
      {
        file: `${session}/pass-messages.ts`,
        find: 'if (shape.serial < this.#next)',
        replace: 'if (shape.serial < 0)',
      },
    ],
    caughtBy: { file: audit, test: shows },
  },
  {
    name: 'the owner believes a verdict that nobody has signed',
    edits: [
      {
        file: `${session}/rehearsal.ts`,
        find: 'if (!(await audits.isSigned(pass, isRight, payload)))',
        replace: 'if (!(await audits.isSigned(pass, isRight, payload)) && !payload)',
      },
    ],
    caughtBy: {
      file: 'src/protections/shared/server/auditor.test.ts',
      test: 'a verdict on another pass is none',
    },
  },
  {
    name: 'the owner goes on after a failed audit',
    edits: [
      {
        file: `${session}/rehearsal.ts`,
        find: 'if (isRight) return',
        replace: 'if (isRight || payload) return',
      },
    ],
    caughtBy: {
      file: audit,
      test: 'a dealer that deals wrongly is found where it uses another mask',
    },
  },
  {
    name: 'a rehearsal asks the dealer for other passes than a conversation does',
    edits: [
      {
        file: `${session}/rehearsal.ts`,
        find: 'this.#session.run(base, empty, { next, signal })',
        replace: 'this.#session.run(base, empty, { signal })',
      },
    ],
    caughtBy: {
      file: audit,
      test: 'an audit shows nothing before its end: dealer and server see what they see of a pass that is none',
    },
  },
]
