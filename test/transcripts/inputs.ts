/** What owners put into the passes of a case, and how they read what comes out. */
import { Tokenizer } from '@huggingface/tokenizers'
import { EncoderEnds } from '../../src/model/encoder-ends.ts'
import { Ends } from '../../src/model/ends.ts'
import type { PublicModel } from '../../src/model/files/bundle.ts'
import { continuesText } from '../../src/model/graph/graph-of.ts'
import { encodePrompt } from '../../src/model/tokenizer/encode-chat.ts'
import { encodeForEncoder } from '../../src/model/tokenizer/encode-text.ts'
import type { ModelPlans } from '../../src/protections/shared/session/model-plan.ts'
import { type ChatPass, conversation, type TextPass } from './cases.ts'

/** What the owner puts into a pass, and how it reads what comes out. */
export interface Input {
  readonly base: number
  readonly rows: Float64Array
  readonly padding?: Uint8Array
  readonly next?: boolean | number
  logits(released: Float64Array): Float32Array | Float64Array
}

/** Inputs of a model's passes; `before` is the likeliest token of the pass before. */
export function inputsOf(
  model: PublicModel,
  plans: ModelPlans,
): (pass: ChatPass | TextPass, before: number) => Input {
  const { config } = model.manifest
  const tokenizer = new Tokenizer(model.tokenizer, {})
  if (!continuesText(config)) {
    const ends = new EncoderEnds(config, model.tensors, plans)
    return (pass) => {
      if (!('text' in pass)) throw new TypeError('A classifier takes texts.')
      const text = encodeForEncoder(tokenizer, config, config.context, pass.text, pass.pair)
      return { ...ends.input(text), base: 0, next: pass.next, logits: (released) => released }
    }
  }
  const ends = new Ends(config, model.tensors, plans)
  const text = encodePrompt(tokenizer, model.manifest, [{ role: 'user', content: conversation }])
  return (pass, before) => {
    if ('text' in pass) throw new TypeError('A chat model takes tokens.')
    const { base, next } = pass
    const ids = pass.ids === 'likeliest' ? [before] : text.slice(...pass.ids)
    return { base, next, rows: ends.embed(ids, base), logits: (released) => ends.logits(released) }
  }
}
