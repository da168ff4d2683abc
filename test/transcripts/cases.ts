/** What is run of each model: few rows, but every kind of pass that a session can have. */

/** A pass of a model that continues text. */
export interface ChatPass {
  /** Cached positions before it; fewer than there are is a conversation that was edited. */
  readonly base: number
  /** Tokens of the text from here to there, or the one that is likeliest after the pass before. */
  readonly ids: 'likeliest' | readonly [from: number, to: number]
  /** Prepare the pass of one more row while this one runs. */
  readonly next?: boolean
}

/** A pass of a classifier, which takes a whole text. */
export interface TextPass {
  readonly text: string
  readonly pair?: string
  /** Rows of the pass to prepare while this one runs. */
  readonly next?: number
}

/** A session from its beginning, with caches and row numbers of its own. */
export interface Session {
  readonly passes: readonly (ChatPass | TextPass)[]
  /** The owner takes the server for near, and asks for passes of few bytes. */
  readonly isNear?: boolean
  /** The link carries one request at a time, so that long passes are not cut into row chunks. */
  readonly isFetch?: boolean
  /** Most bytes that are sent ahead in one message; small enough here that there are several. */
  readonly aheadBytes?: number
}

export interface Case {
  /** Folder in `models/`. */
  readonly model: string
  /** Run it split in custody. */
  readonly isSplit?: boolean
  readonly sessions: Readonly<Record<string, Session>>
}

/** What the tokens of chat models are taken from, template and all. */
export const conversation =
  'Hello! I would like a large oat milk latte with two shots of espresso, and a blueberry muffin to go. ' +
  'Could you also tell me what time you close today, and whether there is a table for four tonight?'

const SHORT: TextPass = { text: 'a warm and funny film' }
const LONG: TextPass = {
  text: 'the plot is thin and the jokes are tired but the actors are so good that it is never dull',
}
const QUESTION: TextPass = { text: 'why was my card declined today' }
const LONG_QUESTION: TextPass = {
  text: 'i tried to pay at the supermarket this morning and my new card was declined twice, can you help me',
}
const PAIR: TextPass = { text: 'my card was declined', pair: 'where is my card' }
const LONG_PAIR: TextPass = {
  text: 'my new card was declined at the supermarket this morning',
  pair: 'why is it that i cannot pay in shops with my card',
}

const chatting: Readonly<Record<string, Session>> = {
  // A pass of few bytes, then others; the last of them was prepared for a row that is not asked for, and is given up.
  far: {
    passes: [
      { base: 0, ids: [0, 9], next: true },
      { base: 9, ids: 'likeliest', next: true },
      { base: 10, ids: 'likeliest', next: true },
      { base: 11, ids: 'likeliest', next: true },
      { base: 6, ids: [9, 12] },
    ],
  },
  // Passes of few rows whose goal is few bytes.
  near: {
    isNear: true,
    aheadBytes: 4096,
    passes: [
      { base: 0, ids: [0, 3], next: true },
      { base: 3, ids: 'likeliest' },
    ],
  },
}

/** Rows of the second bucket: enough for two row chunks. */
const SECOND = 32

const labelling = (short: TextPass, long: TextPass): Readonly<Record<string, Session>> => ({
  // The second pass is in row chunks.
  far: { passes: [{ ...short, next: SECOND }, long] },
  near: { isNear: true, aheadBytes: 4096, passes: [short] },
  whole: { isFetch: true, passes: [long] },
})

/** By the name of what is recorded. */
export const cases: Readonly<Record<string, Case>> = {
  'sotto-demo': {
    model: 'sotto-demo',
    sessions: { ...chatting, long: { passes: [{ base: 0, ids: [0, 33] }] } },
  },
  'private-barista': { model: 'private-barista', sessions: chatting },
  banking77: { model: 'banking77', sessions: labelling(QUESTION, LONG_QUESTION) },
  'banking77-pairs': { model: 'banking77-pairs', sessions: labelling(PAIR, LONG_PAIR) },
  sst2: { model: 'sst2', sessions: labelling(SHORT, LONG) },
  'sst2-dp3': { model: 'sst2-dp3', sessions: labelling(SHORT, LONG) },
  'sst2-dp8': { model: 'sst2-dp8', sessions: labelling(SHORT, LONG) },
  'sst2-lowbit': { model: 'sst2-lowbit', sessions: labelling(SHORT, LONG) },
  'banking77-lowbit': { model: 'banking77-lowbit', sessions: labelling(QUESTION, LONG_QUESTION) },
  'sotto-demo-lowbit': { model: 'sotto-demo-lowbit', sessions: chatting },
  'banking77-w1a4': { model: 'banking77-w1a4', sessions: { far: { passes: [QUESTION] } } },
  'sst2, split': { model: 'sst2', isSplit: true, sessions: { far: { passes: [SHORT] } } },
  'sotto-demo, split': {
    model: 'sotto-demo',
    isSplit: true,
    sessions: {
      far: {
        passes: [
          { base: 0, ids: [0, 3], next: true },
          { base: 3, ids: 'likeliest' },
        ],
      },
    },
  },
}
