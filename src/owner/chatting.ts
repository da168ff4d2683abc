/** A conversation's next reply, token by token. */

import { continuesText } from '../model/graph/graph-of.ts'
import type { Floats } from '../model/math.ts'
import { Sampler } from '../model/sample.ts'
import { decodeText, encodePrompt, StreamDecoder, stopIds } from '../model/tokenizer/chat.ts'
import { Cancelled } from '../protections/protection.ts'
import type { ChatOptions, ChatResult, Message, OnEvent } from './api.ts'
import { OwnerError } from './api.ts'
import { type Open, progress, reading } from './connect.ts'

/** Room kept for the reply when a long conversation is cut. */
const REPLY_ROOM = 96

/** What a run of the engine tells its caller, and is told. */
export interface Running {
  readonly signal: AbortSignal
  readonly onEvent: OnEvent
  /** A pass is done: seconds that each of its tokens took. */
  passed(secondsPerToken: number): void
}

/** Answers a conversation; what was cached of it is not read again. Throws `OwnerError`, and what sessions throw. */
export async function chat(
  open: Open,
  messages: Message[],
  options: ChatOptions,
  run: Running,
): Promise<ChatResult> {
  if (!continuesText(open.model.manifest.config))
    throw new OwnerError('wrong-task', 'This model labels texts, it does not chat.', 'Choose a chat model.')
  const made: number[] = []
  const decoder = new StreamDecoder(open.tokenizer)
  try {
    const ids = prompt(open, messages, run)
    let logits = await prefill(open, ids, run, options.maxTokens > 1)
    const { config } = open.model.manifest
    const stop = stopIds(open.model.manifest)
    const seed = options.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]
    const sampler = new Sampler({ temperature: options.temperature, topP: options.topP, seed })
    let finish: ChatResult['finish'] = 'length'
    while (made.length < options.maxTokens) {
      const id = sampler.pick(logits)
      if (stop.includes(id)) {
        finish = 'stop'
        break
      }
      made.push(id)
      run.onEvent({ type: 'token', text: decoder.push(id), id })
      if (made.length === options.maxTokens) break
      if (open.cached.length >= config.context) {
        finish = 'context'
        break
      }
      logits = await pass(open, [id], run, made.length + 1 < options.maxTokens)
    }
    return { text: decodeText(open.tokenizer, made), ids: made, finish }
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error
    return { text: decodeText(open.tokenizer, made), ids: made, finish: 'cancelled' }
  }
}

/** The conversation's ids, oldest turns left out if they don't fit. */
function prompt(
  { model: { manifest }, tokenizer }: Open,
  messages: Message[],
  { onEvent }: Running,
): number[] {
  const limit = manifest.config.context - REPLY_ROOM
  try {
    const whole = encodePrompt(tokenizer, manifest, messages)
    if (whole.length <= limit) return whole
    const text = 'The conversation is longer than the model can remember, so its oldest turns are left out.'
    onEvent({ type: 'notice', text })
    return encodePrompt(tokenizer, manifest, messages, { maxTokens: limit })
  } catch (error) {
    const message = error instanceof Error ? error.message : 'The message is too long.'
    throw new OwnerError('context', message, 'Shorten the message, or start a new conversation.')
  }
}

/** Runs what is not cached yet; resolves with the next token's logits. */
async function prefill(open: Open, ids: number[], run: Running, next: boolean): Promise<Floats> {
  let base = 0
  while (base < open.cached.length && base < ids.length - 1 && open.cached[base] === ids[base]) base++
  open.cached.length = base
  const first = base
  let logits: Floats = new Float64Array()
  while (base < ids.length) {
    const part = ids.slice(base, base + open.connection.maxTokens)
    run.onEvent(reading(open, base - first, ids.length - first, 'message'))
    logits = await pass(open, part, run, next && base + part.length === ids.length)
    base += part.length
  }
  run.onEvent(progress('prefill', ids.length - first, ids.length - first, 'Read'))
  return logits
}

async function pass(open: Open, ids: number[], run: Running, next: boolean): Promise<Floats> {
  const base = open.cached.length
  const started = performance.now()
  const options = { next: next ? 1 : undefined, signal: run.signal }
  const logits = await open.connection.run(base, { ids }, options)
  open.cached.push(...ids)
  run.passed((performance.now() - started) / 1000 / ids.length)
  return logits
}
