/** Measures a bundle's activation ranges on text and writes them into its manifest. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { loadBundle } from '../model/bundle-node.ts'
import { encodeChat, type Message } from '../model/chat.ts'
import { chatOf, type Manifest } from '../model/manifest.ts'
import { compileDecoder, spanBitsOf } from '../protocol/compile/decoder.ts'
import { calibrate } from '../protocol/compile/ranges.ts'
import { readDialogues } from './dialogues.ts'

export interface CalibrateOptions {
  /** The bundle's folder; its manifest is rewritten. */
  bundle: string
  /** A file of dialogues, as for training. */
  data: string
  /** Tokens to measure. */
  tokens?: number
  onProgress?: (done: number, total: number) => void
}

/** Resolves with the new manifest. Throws `RangeTooWide`, before anything is written, when the model can't be computed. */
export async function calibrateBundle(o: CalibrateOptions): Promise<Manifest> {
  const { manifest, tensors, tokenizer: json } = await loadBundle(o.bundle)
  const tokenizer = new Tokenizer(json, {})
  const total = o.tokens ?? 20_000
  const { config } = manifest
  function* sequences(): Generator<number[]> {
    let done = 0
    for (const dialogue of readDialogues(o.data)) {
      const messages: Message[] = dialogue.turns.map(({ role, text }) => ({ role, content: text }))
      const ids = encodeChat(tokenizer, chatOf(manifest), messages, { reply: false }).slice(0, config.context)
      yield ids
      done += ids.length
      o.onProgress?.(done, total)
      if (done >= total) return
    }
  }
  const ranges = calibrate(config, tensors, sequences())
  // Compiling proves that every tensor fits its ring at these ranges.
  compileDecoder(
    { config, ranges, visibility: () => 'private' },
    spanBitsOf({ base: 0, rows: config.context }),
  )
  manifest.profile = { ...manifest.profile, fixed: { ranges } }
  writeFileSync(join(o.bundle, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  return manifest
}
