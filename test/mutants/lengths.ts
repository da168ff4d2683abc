/** Passes whose shape tells of what is written. */
import type { Mutant } from './mutant.ts'

const shapes = 'test/secrecy/shapes.test.ts'

export const lengths: readonly Mutant[] = [
  {
    name: 'where a prompt ends shows',
    edits: [
      {
        file: 'src/owner/cached-turns.ts',
        find: "const single = o.padding === 'none' ? ids.length : floor(last, block)",
        replace: "const single = o.padding === 'none' ? ids.length : last",
      },
    ],
    caughtBy: { file: shapes, test: 'the same actions, with ends in the same blocks, sound the same' },
  },
  {
    name: 'where a reply ends shows in where the next prompt begins',
    edits: [
      {
        file: 'src/owner/chatting.ts',
        find: '(isHidden ? inBlocks : passes)',
        replace: '(isHidden ? rest.length + reply.made.length : inBlocks)',
      },
    ],
    caughtBy: { file: shapes, test: 'the same actions, with ends in the same blocks, sound the same' },
  },
  {
    name: 'passes end with the reply',
    edits: [
      {
        file: 'src/owner/chatting.ts',
        find: '(!reply.isDone || (isHidden && (after === 0 || after % REPLY_BLOCK > 0)))',
        replace: '!reply.isDone',
      },
    ],
    caughtBy: { file: shapes, test: 'a word is as long as a sentence, unless its length may show' },
  },
  {
    name: 'a new chat goes on from what another one cached',
    edits: [
      {
        file: 'src/owner/cached-turns.ts',
        find: 'o.conversation !== undefined && o.conversation === this.#conversation',
        replace: 'true',
      },
    ],
    caughtBy: { file: shapes, test: 'a new chat that begins with the same words begins at 0' },
  },
]
