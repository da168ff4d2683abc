/** Bugs that would make audits of the dealer worth nothing, or show more than a pass that no word was in. */
import type { Mutant } from './mutant.ts'

const session = 'src/protections/shared/session'
const audit = `${session}/audit.test.ts`
const behind = `${session}/audit-behind.test.ts`
const shows = 'an audit shows keys of rehearsed passes, under which no word ever was, and serials are burnt'

export const audits: readonly Mutant[] = [
  {
    name: 'an audit compares nothing',
    edits: [
      {
        file: `${session}/audit.ts`,
        find: 'return equalBytes(rest, next.digests.rest)',
        replace: 'return equalBytes(rest, rest)',
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
        find: 'async (bytes, isKept) => hashed.update(bytes, isKept),',
        replace: 'async (bytes, isKept) => void (bytes.length > 64 || hashed.update(bytes, isKept)),',
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
        replace: 'await this.#show(audits, { ...pass, shown: shown[0].shown })',
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
        find: 'if (isRight) {',
        replace: 'if (isRight || payload) {',
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
        find: 'this.#session.run(base, this.empty(n), { next, signal })',
        replace: 'this.#session.run(base, this.empty(n), { signal })',
      },
    ],
    caughtBy: {
      file: audit,
      test: 'an audit shows nothing before its end: dealer and server see what they see of a pass that is none',
    },
  },
  {
    name: 'a rehearsal behind real passes uses the dealer’s key of what is kept',
    edits: [
      {
        file: `${session}/owner-session.ts`,
        find: 'isRehearsal ? crypto.getRandomValues(new Uint8Array(32)) : keys.kept',
        replace: 'isRehearsal ? keys.kept : keys.kept',
      },
    ],
    caughtBy: {
      file: behind,
      test: 'an audit behind real passes says nothing of them shows one key, and the owner’s side of products with what is cached is not the dealer’s',
    },
  },
  {
    name: 'a rehearsal behind real passes reads what they have cached',
    edits: [
      {
        file: `${session}/owner-session.ts`,
        find: 'isRehearsal ? new RowCache(plans.config.context) : this.#cache',
        replace: 'isRehearsal ? this.#cache : this.#cache',
      },
    ],
    caughtBy: {
      file: behind,
      test: 'an audit behind real passes says nothing of them sends the same whatever was cached',
    },
  },
  {
    name: 'an audit behind real passes shows both keys',
    edits: [
      {
        file: `${session}/owner-session.ts`,
        find: 'isRehearsal ? { pass: keys.pass } : keys',
        replace: 'isRehearsal ? keys : keys',
      },
    ],
    caughtBy: {
      file: behind,
      test: 'an audit behind real passes says nothing of them shows one key',
    },
  },
  {
    name: 'products with what is cached are under the key that is shown',
    edits: [
      {
        file: 'src/protections/shared/correlations/keystreams.ts',
        find: 'step.attends ? keptStreamId : streamId',
        replace: 'step.attends ? streamId : streamId',
      },
    ],
    caughtBy: {
      file: 'test/secrecy/streams.test.ts',
      test: 'llama, private puts what masks of cached values go into under streams that are kept',
    },
  },
]
