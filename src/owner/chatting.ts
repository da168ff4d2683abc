/** A conversation's next reply, token by token. */
import type { Floats } from '../model/math.ts'
import { Sampler } from '../model/sample.ts'
import { behindSystem, decodeText, StreamDecoder, stopIds, type TurnFormat } from '../model/tokenizer/chat.ts'
import { Cancelled, isNoise, type ProtectionError } from '../protections/protection.ts'
import type { Measured, Message, OnEvent } from './api.ts'
import { OwnerError } from './api.ts'
import { PROMPT_BLOCK, type Prompt, REPLY_BLOCK } from './cached-turns.ts'
import type { ChatOptions, ChatResult, MeasureOptions, Padding } from './chat-options.ts'
import { type Open, progress, reading } from './connect.ts'
import { exposedText } from './exposed.ts'
import { beforeStop, StopText } from './stop-text.ts'

/** Room that is kept for the reply when a long conversation is cut: what was asked for, and half of the context at most. */
const replyRoom = (context: number, maxTokens: number): number =>
  Math.max(1, Math.min(maxTokens, Math.floor(context / 2)))

/** How long a message is by itself, and how long it may be beside the reply. Throws `OwnerError` for models that label. */
export function measure(open: Open, message: Message, { maxTokens, system }: MeasureOptions): Measured {
  const format = behindSystem(turnsOf(open), system?.content)
  const { context } = open.model.config
  const around = format.start.length + format.reply.length
  const tokens = around + format.encode(message, true).length
  return { tokens, most: context - replyRoom(context, maxTokens) }
}

/** How the model takes turns. Throws `OwnerError` for one that does not: one that labels, or answers questions on pictures alone. */
function turnsOf({ format, info }: Open): TurnFormat {
  if (format && info.model.outputs !== 'text') return format
  throw new OwnerError('wrong-task', 'This model does not chat.', 'Choose a chat model.')
}

/** What a run of the engine tells its caller, and is told. */
export interface Running {
  readonly signal: AbortSignal
  readonly onEvent: OnEvent
  /** A pass is done: seconds that each of its tokens took. */
  passed(secondsPerToken: number): void
}

/** What a request has come to in a session that ended under it: another one with the same model goes on from there. */
export interface Begun {
  reply?: Reply
  /** Positions that the last session had read: server and dealer know. */
  rows: number
  /** What there is of it where it is stopped while no session is there. */
  result?: () => ChatResult
}

/**
 * Answers a conversation; what was cached of it is not read again. A reply that has `begun` goes on where it was. Throws
 * `OwnerError`, and what sessions throw.
 */
export async function chat(
  open: Open,
  messages: Message[],
  options: ChatOptions,
  run: Running,
  begun: Begun = { rows: 0 },
): Promise<ChatResult> {
  const format = turnsOf(open)
  const { model } = open
  const { hidesTexts } = open.info.model.protection.notice
  // Where words can be told, lengths can: passes behind a reply's end would hide nothing.
  const padding = hidesTexts ? (options.padding ?? 'blocks') : 'none'
  const prompt = layOut(open, format, messages, { ...options, padding }, run)
  const broken = messages.at(-1)?.role === 'assistant' ? messages.at(-1) : undefined
  const reply = begun.reply ?? new Reply(open, options, run)
  begun.reply = reply
  if (open.cached.noise) reply.fail(open.cached.noise.error)
  const rest = prompt.ids.slice(prompt.single)
  const isHidden = padding === 'blocks'
  /** What the pass after so many of one row reads; behind the end of a reply it does not matter what. */
  const idAfter = (after: number): number => rest[after] ?? reply.made[after - rest.length] ?? reply.last
  /** Takes what a pass has made of the token before it, unless that was chosen already, or the reply is over. */
  const take = (logits: Floats, after: number): void => {
    if (after >= rest.length && !reply.isDone && reply.made.length === after - rest.length) reply.take(logits)
    else if (after > 0) reply.pretend(logits)
  }
  // As many as the longest prompt's end and the longest reply take, whatever these ones do.
  const longest = (isHidden ? PROMPT_BLOCK : 0) + options.maxTokens - 1
  const most = Math.min(longest, model.config.context - prompt.single)
  const read = { promptTokens: prompt.ids.length, isCut: prompt.isCut }
  // Where lengths are hidden, read at once is what the session before had read for certain, in blocks.
  const known = Math.max(0, begun.rows - prompt.single)
  const block = isHidden ? PROMPT_BLOCK : 1
  let passes = Math.min(most, known - (known % block))
  /** Whether a pass follows so many others; where lengths are hidden, by the blocks that they end in. */
  const goesOn = (after: number): boolean =>
    after < most && (!reply.isDone || (isHidden && (after === 0 || after % REPLY_BLOCK > 0)))
  try {
    const again = Array.from({ length: passes }, (_, after) => idAfter(after))
    const ids = [...prompt.ids.slice(0, prompt.single), ...again]
    take(await prefill(open, prompt, ids, run, reply, most > passes), passes)
    while (goesOn(passes)) {
      const logits = await pass(open, [idAfter(passes)], run, reply, passes + 1 < most)
      passes++
      if (passes <= rest.length) tellRead(open, prompt, run)
      const isOver = reply.isDone
      take(logits, passes)
      if (isOver) run.onEvent(progress('padding', passes % REPLY_BLOCK, REPLY_BLOCK, 'Hiding its length'))
    }
    if (reply.fault) throw reply.fault
    return { ...reply.result(passes - rest.length, 'context'), ...read }
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error
    return { ...reply.result(passes - rest.length, 'cancelled'), ...read }
  } finally {
    begun.rows = prompt.single + passes
    begun.result = () => ({ ...reply.result(passes - rest.length, 'cancelled'), ...read })
    if (reply.isBegun) {
      // How much of its last block the reply fills must not show in where the next prompt begins.
      const inBlocks = Math.max(0, Math.ceil(passes / REPLY_BLOCK) - 1) * REPLY_BLOCK
      const resume = prompt.single + (isHidden ? inBlocks : passes)
      const { text, made } = reply
      const content = (broken?.content ?? '') + text
      // What a stop has cut off stays in the ids: where the next prompt begins must not tell that one came.
      open.cached.replied(format, { id: options.reply, content, ids: made, resume })
    }
  }
}

/** A reply as it is made. */
export class Reply {
  readonly made: number[] = []
  isBegun = false
  /** What is to be read next. */
  last = 0
  /** Why nothing more can be said. Its caller hears of it at the end of a block: an earlier end would show. */
  fault?: ProtectionError
  #isOver = false
  readonly #open: Open
  readonly #run: Running
  readonly #stop: readonly number[]
  readonly #most: number
  readonly #sampler: Sampler
  readonly #pretended: Sampler
  readonly #decoder: StreamDecoder
  readonly #stopTexts: readonly string[]
  readonly #shown: StopText

  constructor(open: Open, { temperature, topP, seed, maxTokens, stop = [] }: ChatOptions, run: Running) {
    this.#open = open
    this.#run = run
    this.#most = maxTokens
    this.#stop = stopIds(open.model)
    const chosen = seed ?? crypto.getRandomValues(new Uint32Array(1))[0]
    this.#sampler = new Sampler({ temperature, topP, seed: chosen })
    this.#pretended = new Sampler({ temperature, topP, seed: 0 })
    this.#decoder = new StreamDecoder(open.tokenizer)
    this.#stopTexts = stop
    this.#shown = new StopText(stop)
  }

  get text(): string {
    return beforeStop(decodeText(this.#open.tokenizer, this.made), this.#stopTexts)
  }

  /** Takes as long as choosing a token, and chooses none. */
  pretend(logits: Floats): void {
    if (logits.length > 0) this.#pretended.pick(logits)
  }

  /** Behind its end nothing is wrong with it any more. */
  fail(error: ProtectionError): void {
    if (this.isDone) return
    this.fault = error
    this.#isOver = true
  }

  /** It has ended itself, or is as long as was asked for. */
  get isDone(): boolean {
    return this.#isOver || this.made.length >= this.#most
  }

  take(logits: Floats): void {
    const id = this.#sampler.pick(logits)
    this.isBegun = true
    this.last = id
    this.#isOver = this.#stop.includes(id)
    if (this.#isOver) return
    this.made.push(id)
    this.#run.onEvent({ type: 'token', text: this.#shown.push(this.#decoder.push(id)), id })
    this.#isOver = this.#shown.isHit
  }

  /**
   * @param passes how many there were behind the prompt
   * @param otherwise why it ended where it was not done
   */
  result(passes: number, otherwise: ChatResult['finish']): Omit<ChatResult, 'isCut' | 'promptTokens'> {
    const { text, made, isDone } = this
    const read = this.#isOver && !this.#shown.isHit ? made.length : made.length - 1
    const { connection, tokenizer } = this.#open
    const isRead = connection.readable?.(made)
    const exposed = isRead && { exposed: exposedText(tokenizer, made, isRead) }
    const finish = this.#isOver ? 'stop' : isDone ? 'length' : otherwise
    return { text, ids: made, finish, padded: isDone ? passes - read : 0, ...exposed }
  }
}

/** The conversation's ids, oldest turns left out if they don't fit. */
function layOut(
  { model: { config }, cached }: Open,
  format: TurnFormat,
  messages: Message[],
  { conversation, system, padding, maxTokens: most }: ChatOptions & { padding: Padding },
  { onEvent }: Running,
): Prompt {
  const { context } = config
  const maxTokens = context - replyRoom(context, most)
  try {
    const taken = format.withSystem && system
    const prompt = cached.prompt(format, messages, { conversation, system: taken, maxTokens, padding })
    const text = 'The conversation is longer than the model can remember, so its oldest turns are left out.'
    if (prompt.isCut) onEvent({ type: 'notice', text })
    const without = 'This model takes no instructions, so those of this chat are left out.'
    if (system && !taken) onEvent({ type: 'notice', text: without })
    return prompt
  } catch (error) {
    const message = error instanceof Error ? error.message : 'The message is too long.'
    throw new OwnerError('context', message, 'Shorten the message, or start a new conversation.')
  }
}

/** Reads those of `ids` that are not cached yet, many at a time; resolves with the next token's logits. */
async function prefill(
  open: Open,
  prompt: Prompt,
  ids: readonly number[],
  run: Running,
  reply: Reply,
  next: boolean,
): Promise<Floats> {
  let logits: Floats = new Float64Array()
  tellRead(open, prompt, run)
  while (open.cached.rows < ids.length) {
    const part = ids.slice(open.cached.rows, open.cached.rows + open.connection.maxTokens)
    const isLast = open.cached.rows + part.length === ids.length
    logits = await pass(open, part, run, reply, next && isLast)
    tellRead(open, prompt, run)
  }
  return logits
}

function tellRead(open: Open, { ids, base }: Prompt, { onEvent }: Running): void {
  const [done, total] = [open.cached.rows - base, ids.length - base]
  if (done < total) onEvent(reading(open, done, total, 'message'))
  else onEvent(progress('prefill', total, total, 'Read'))
}

/** One pass; resolves with the next token's logits, or with none where the model cannot have said what came out. */
async function pass(
  open: Open,
  ids: readonly number[],
  run: Running,
  reply: Reply,
  next: boolean,
): Promise<Floats> {
  const started = performance.now()
  const options = { next: next ? 1 : undefined, signal: run.signal }
  const logits = await open.connection.run(open.cached.rows, { ids: [...ids] }, options).catch((error) => {
    if (!isNoise(error)) throw error
    open.cached.noise ??= { from: open.cached.rows, error }
    reply.fail(error)
    return new Float64Array()
  })
  open.cached.rows += ids.length
  run.passed((performance.now() - started) / 1000 / ids.length)
  return logits
}
