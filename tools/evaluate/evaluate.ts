import { Tokenizer } from '@huggingface/tokenizers'
import type { Bundle } from '../../src/model/files/bundle-node.ts'
import { chatOf } from '../../src/model/files/manifest.ts'
import { floatModel } from '../../src/model/graph/decoder-model.ts'
import { generate } from '../../src/model/sample.ts'
import { decodeText } from '../../src/model/tokenizer/chat.ts'
import { encodeChat } from '../../src/model/tokenizer/encode-chat.ts'
import { type Dialogue, encodeAll } from '../train/dialogues.ts'
import type { GradientEngine } from '../train/gradient.ts'
import { NgramModel } from '../train/ngram.ts'

export interface Perplexities {
  /** How many tokens were predicted. */
  tokens: number
  model: number
  bigram: number
  fivegram: number
}

/**
 * Perplexity per token on held-out dialogues, all three on exactly the same tokens.
 * The dialogues are cut into windows of the model's context, so the model starts each window blind;
 * the n-gram models, which see across the cuts, get the benefit of that.
 */
export async function perplexities(
  bundle: Bundle,
  engine: GradientEngine,
  train: Dialogue[],
  dev: Dialogue[],
): Promise<Perplexities> {
  const { config } = bundle.manifest
  const tokenizer = new Tokenizer(bundle.tokenizer, {})
  const heldOut = encodeAll(dev, tokenizer)
  const length = config.context
  const windows = Math.floor((heldOut.length - 1) / length)
  let nats = 0
  for (let i = 0; i < windows; i++) {
    const ids = Int32Array.from(heldOut.subarray(i * length, (i + 1) * length + 1))
    nats += length * (await engine.run(bundle.tensors, { rows: 1, length, ids })).loss
  }
  const tokens = windows * length
  const learned = encodeAll(train, tokenizer)
  const ngram = (order: number) => {
    const model = new NgramModel(learned, order, config.vocab)
    let sum = 0
    for (let at = 1; at <= tokens; at++) sum -= Math.log(model.probability(heldOut, at))
    return Math.exp(sum / tokens)
  }
  return { tokens, model: Math.exp(nats / tokens), bigram: ngram(2), fivegram: ngram(5) }
}

export interface Sample {
  user: string
  reply: string
}

/** The float model's replies to the first user turn of each of the first `count` dialogues. */
export function firstReplies(bundle: Bundle, dialogues: Dialogue[], count: number): Sample[] {
  const tokenizer = new Tokenizer(bundle.tokenizer, {})
  const { config } = bundle.manifest
  const chat = chatOf(bundle.manifest)
  const model = floatModel(config, bundle.tensors)
  return dialogues.slice(0, count).map((dialogue) => {
    const user = dialogue.turns.find((turn) => turn.role === 'user')?.text ?? ''
    const prompt = encodeChat(tokenizer, chat, [{ role: 'user', content: user }])
    model.rewind()
    const options = { temperature: 0.7, topP: 0.9, seed: 1, stop: chat.stop, maxTokens: 100 }
    return { user, reply: decodeText(tokenizer, [...generate(model, prompt, options)]) }
  })
}

/** The samples as a Markdown page. */
export function samplesPage(name: string, hash: string, samples: Sample[]): string {
  const rows = samples.map(({ user, reply }, i) => `${i + 1}. **User:** ${user}\n\n   **Model:** ${reply}\n`)
  return [
    '# Samples\n',
    `Replies of \`${name}\` (model \`${hash.slice(0, 16)}\`) in ordinary floating point to the first user turns of`,
    'the first ten held-out dialogues: temperature 0.7, top-p 0.9, seed 1, verbatim and not selected.\n',
    ...rows,
  ].join('\n')
}
