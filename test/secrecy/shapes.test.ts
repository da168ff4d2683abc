/**
 * What server and dealer hear has a shape: whose messages of how many bytes, passes of how many rows from where. It
 * follows from what the user does and from the blocks of tokens that prompts and replies end in, and from nothing that is
 * written: not from where within a block a prompt or a reply ends.
 */
import type { Tokenizer } from '@huggingface/tokenizers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { turnFormat } from '../../src/model/tokenizer/chat.ts'
import type { Message } from '../../src/owner/api.ts'
import { CachedTurns, PROMPT_BLOCK, REPLY_BLOCK } from '../../src/owner/cached-turns.ts'
import { chat } from '../../src/owner/chatting.ts'
import type { Open } from '../../src/owner/connect.ts'
import { type Connection, ProtectionError, type RunOptions } from '../../src/protections/protection.ts'
import { decodePass, decodeRequest } from '../../src/protections/shared/session/pass-messages.ts'
import { lowbitDecoder, tinyParallel } from '../support/protocol/lowbit.ts'
import { type TinyDecoder, tinyLlama, tinyModel } from '../support/protocol/models.ts'
import { fixedKeys, WatchedSession } from '../support/protocol/session.ts'

const config = { ...tinyLlama, layers: 1, context: 512 }
const model = tinyModel(config)
const fewBits = lowbitDecoder({ ...tinyParallel, layers: 1, context: 512 })
const [STOP, WORD, FIRST, LETTERS] = [3, 4, 5, config.vocab - 5]
const marks = { template: '', bos: 0, user: 1, assistant: 2, end: STOP, stop: [STOP] }

/** A letter is a token. */
const tokenizer = {
  get_added_tokens_decoder: () => new Map(),
  encode: (text: string) => ({ ids: [...text].map((c) => FIRST + (c.charCodeAt(0) % LETTERS)) }),
  id_to_token: String,
  decode: (ids: number[]) => ids.map((id) => String.fromCharCode(id + 96)).join(''),
} as object as Tokenizer

/** Two questions or replies that must look the same. */
type Both<T> = readonly [T, T]
/** `ats` and `ends`: the tokens that a prompt, and a reply, have of their last blocks. */
type Action = {
  texts: Both<number>
  promptBlocks: number
  ats: Both<number>
  replyBlocks: number
  ends: Both<number>
  stopAt?: number
} & (
  | { do: 'ask' | 'ask in a new chat' | 'answer again' }
  | { do: 'edit'; turn: number; sameText: Both<boolean> }
)

const floor = (position: number) => position - (position % PROMPT_BLOCK)

/** One of the two conversations, at the real parties' sessions; the model's words are put in its mouth. */
class Teller {
  readonly #session: WatchedSession
  readonly #open: Open
  readonly #which: 0 | 1
  readonly #padding?: 'none'
  /** Which tokens were read at which positions, pass by pass. */
  readonly read: { base: number; ids: number[] }[] = []
  #turns: Message[] = []
  #chats = 0
  #ids = 0
  /** Where the prompt ends, how long the reply is, and the pass before which it is stopped. */
  #reply = { from: 0, length: 0, stopAt: -1 }
  #abort = new AbortController()
  /** The pass whose numbers no model can have said. */
  noiseAt = -1
  /** What kept replies from being said. */
  readonly faults: unknown[] = []

  constructor(which: 0 | 1, model: TinyDecoder, padding?: 'none') {
    this.#session = new WatchedSession(model, fixedKeys(1))
    this.#which = which
    this.#padding = padding
    const run = async (base: number, { ids }: { ids: ArrayLike<number> }, o: RunOptions = {}) => {
      if (this.#reply.stopAt-- === 0) this.#abort.abort()
      const rows = model.ends.embed(Array.from(ids), base)
      await this.#session.owner.run(base, rows, { next: o.next !== undefined, signal: o.signal })
      this.read.push({ base, ids: Array.from(ids) })
      if (this.noiseAt-- === 0) throw new ProtectionError('out-of-range', 'noise', 'word it otherwise')
      const logits = new Float64Array(config.vocab)
      const said = base + ids.length - this.#reply.from
      logits[said < this.#reply.length ? WORD + this.#which : STOP] = 1
      return logits
    }
    this.#open = {
      model: { config, chat: marks, continuesText: true },
      format: turnFormat(tokenizer, { chat: marks }),
      tokenizer,
      connection: { maxTokens: 64, run } as object as Connection,
      info: { model: { protection: { notice: { hidesTexts: true } } } },
      cached: new CachedTurns(),
    } as object as Open
  }

  /** Ends in the same blocks as the other, though its prompts and replies have other lengths. */
  async act(action: Action): Promise<void> {
    const letter = String.fromCharCode(97 + action.texts[this.#which])
    if (action.do === 'ask in a new chat') this.#turns = []
    if (action.do === 'ask in a new chat' || this.#chats === 0) this.#chats++
    const at = action.ats[this.#which]
    if (action.do === 'answer again') {
      if (this.#turns.at(-1)?.role === 'assistant') this.#turns.pop()
      if (this.#turns.length === 0) return
    } else if (action.do === 'edit') {
      const questions = this.#turns.flatMap(({ role }, i) => (role === 'user' ? [i] : []))
      if (questions.length === 0) return
      this.#turns.length = questions[action.turn % questions.length] + 1
      const block = floor(this.#end - 1)
      const { content } = this.#turns.pop()!
      this.#ask(action.sameText[this.#which] ? content : letter, block + at)
      if (action.sameText[this.#which]) this.#turns[this.#turns.length - 1].content = content
    } else {
      // A reply may end anywhere in the block that is read again.
      const before = Math.max(floor(this.#open.cached.rows), floor(this.#reply.from - 1))
      const first = this.#turns.length === 0 ? 0 : before + REPLY_BLOCK
      this.#ask(letter, first + PROMPT_BLOCK * action.promptBlocks + at)
    }
    await this.#answer(action)
  }

  /** Tokens of the conversation, with all marks and the one that makes the model speak. */
  get #end(): number {
    return 2 + this.#turns.reduce((sum, { content }) => sum + content.length + 2, 0)
  }

  /** A question of one letter at least, whose prompt ends there. */
  #ask(letter: string, end: number): void {
    const content = letter[0].repeat(Math.max(1, end - this.#end - 2))
    this.#turns.push({ id: `t${this.#ids++}`, role: 'user', content })
  }

  async #answer({ replyBlocks, ends, stopAt = -1 }: Action): Promise<void> {
    const from = this.#end
    const inBlock = from - floor(from - 1)
    const end = Math.max(inBlock, (replyBlocks - 1) * REPLY_BLOCK + ends[this.#which])
    this.#reply = { from, length: end - inBlock, stopAt }
    this.#abort = new AbortController()
    const running = { signal: this.#abort.signal, onEvent: () => undefined, passed: () => undefined }
    const reply = `t${this.#ids++}`
    const conversation = `c${this.#chats}`
    const options = { temperature: 0, topP: 1, maxTokens: 40, padding: this.#padding, reply, conversation }
    const { text, finish } = await chat(this.#open, [...this.#turns], options, running).catch((error) => {
      this.faults.push(error.code)
      return { text: '', finish: 'length' }
    })
    await this.#session.owner.drop()
    if (text || finish !== 'cancelled') this.#turns.push({ id: reply, role: 'assistant', content: text })
  }

  async shape() {
    await this.#session.link.close()
    const { wire, requests, dealt } = this.#session
    const said = (by: string) =>
      wire.flatMap(({ from, bytes }) => (from === by ? [`${decodePass(bytes).kind} ${bytes.length}`] : []))
    return {
      owner: said('owner'),
      server: said('server'),
      requests: requests.map((bytes) => Buffer.from(bytes).toString('hex')),
      dealt: dealt.map((chunks) => chunks.map(({ length }) => length)),
    }
  }

  get passes() {
    return this.#session.requests.map(decodeRequest)
  }
}

const both = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<Both<T>> => fc.tuple(of, of)
const within = (block: number) => both(fc.integer({ min: 1, max: block }))
const answer = fc.record({
  promptBlocks: fc.integer({ min: 1, max: 4 }),
  ats: within(PROMPT_BLOCK),
  replyBlocks: fc.integer({ min: 1, max: 2 }),
  ends: within(REPLY_BLOCK),
  texts: both(fc.nat(25)),
  stopAt: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, fc.nat(40)),
})
const kind = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ask' as const) }) },
  fc.record({ do: fc.constantFrom('ask in a new chat' as const, 'answer again' as const) }),
  fc.record({ do: fc.constant('edit' as const), turn: fc.nat(3), sameText: both(fc.boolean()) }),
)
const action: fc.Arbitrary<Action> = fc.tuple(answer, kind).map(([a, b]) => ({ ...a, ...b }))

test.each([
  ['', model, 4],
  [', of a model of few bits as well', fewBits, 1],
])(
  'the same actions, with ends in the same blocks, sound the same to server and dealer%s',
  async (_, model, numRuns) => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 3, maxLength: 4 }), async (actions) => {
        const tellers = [new Teller(0, model), new Teller(1, model)] as const
        for (const teller of tellers) for (const one of actions) await teller.act(one)
        const [a, b] = [await tellers[0].shape(), await tellers[1].shape()]
        expect(b).toEqual(a)
      }),
      { numRuns, seed: 3, endOnFailure: true },
    )
  },
)

test.each([0, 3, 12, 16])(
  'a text that the model cannot take sounds like others, from pass %i on',
  async (noiseAt) => {
    const tellers = [new Teller(0, model), new Teller(1, model)] as const
    tellers[1].noiseAt = noiseAt
    const lengths = { promptBlocks: 2, ats: [3, 5], replyBlocks: 1, ends: [14, 12] } as const
    for (const teller of tellers)
      for (const what of ['ask', 'ask in a new chat'] as const)
        await teller.act({ do: what, texts: [0, 1], ...lengths })
    // Behind its end nothing is wrong with a reply any more.
    expect(tellers.map(({ faults }) => faults)).toEqual([[], noiseAt < 16 ? ['out-of-range'] : []])
    expect(await tellers[1].shape()).toEqual(await tellers[0].shape())
  },
)

/** Asks these, each in a chat of its own unless `chat` says otherwise; resolves with passes' first positions and rows. */
async function passesOf(questions: { chat?: string; text: string }[]) {
  const session = new WatchedSession(model, fixedKeys(2))
  const run = async (base: number, { ids }: { ids: ArrayLike<number> }) => {
    await session.owner.run(base, model.ends.embed(Array.from(ids), base))
    return new Float64Array(config.vocab)
  }
  const open = {
    model: { config, chat: marks, continuesText: true },
    format: turnFormat(tokenizer, { chat: marks }),
    tokenizer,
    connection: { maxTokens: 64, run } as object as Connection,
    info: { model: { protection: { notice: { hidesTexts: true } } } },
    cached: new CachedTurns(),
  } as object as Open
  const running = { signal: new AbortController().signal, onEvent: () => undefined, passed: () => undefined }
  for (const { chat: conversation, text } of questions)
    await chat(
      open,
      [{ id: 'question', role: 'user', content: text }],
      { temperature: 0, topP: 1, maxTokens: 1, conversation, padding: 'none' },
      running,
    )
  await session.link.close()
  return session.requests.map(decodeRequest).map(({ base, rows }) => ({ base, rows }))
}

test('a new chat that begins with the same words begins at 0', async () => {
  const [positive, negative] = ['the biopsy is positive', 'the biopsy is negative']
  const whole = { base: 0, rows: positive.length + 4 }
  expect(await passesOf([{ text: positive }, { text: negative }])).toEqual([whole, whole])
  expect(
    await passesOf([
      { chat: 'one', text: positive },
      { chat: 'other', text: positive },
    ]),
  ).toEqual([whole, whole])
  // Within one conversation, asking again reads no more than the mark that makes the model speak.
  expect(
    await passesOf([
      { chat: 'one', text: positive },
      { chat: 'one', text: positive },
    ]),
  ).toEqual([whole, { base: positive.length + 3, rows: 1 }])
})

/** What one question takes whose prompt and reply end at these places of their blocks, by rows of a pass. */
async function takes(at: number, end: number, padding?: 'none') {
  const teller = new Teller(0, model, padding)
  const both = <T>(v: T): Both<T> => [v, v]
  const lengths = { promptBlocks: 2, ats: both(at), replyBlocks: 1, ends: both(end) }
  await teller.act({ do: 'ask', texts: [0, 0], ...lengths })
  await teller.shape()
  return teller
}

test('a word is as long as a sentence, unless its length may show', async () => {
  const rows = ({ passes }: Teller) => passes.map((pass) => pass.rows)
  // The pass behind the last of a block is prepared, whether or not it will be run.
  for (const [at, end] of [
    [1, 2],
    [1, 16],
    [5, 12],
    [8, 16],
  ])
    expect(rows(await takes(at, end))).toEqual([16, ...Array(REPLY_BLOCK).fill(1), 1])
  expect(rows(await takes(1, 2, 'none'))).toEqual([17, 1, 1])
  expect(rows(await takes(8, 11, 'none'))).toEqual([24, 1, 1, 1, 1])
})

test('every token is read where it stands, as it is without hiding lengths', async () => {
  for (const [at, end] of [
    [1, 5],
    [7, 16],
    [8, 16],
  ]) {
    const [hidden, shown] = [await takes(at, end), await takes(at, end, 'none')]
    const tokens = ({ read }: Teller) => read.flatMap(({ base, ids }) => ids.map((id, i) => [base + i, id]))
    const own = tokens(shown)
    expect(own.map(([position]) => position)).toEqual(own.map((_, i) => i))
    expect(tokens(hidden).slice(0, own.length)).toEqual(own)
  }
})
