/** A model with three tokens that no calibration has seen: nothing, the most that fits, and far too much. */
import { join } from 'node:path'
import { type Bundle, loadBundle, writeBundle } from '../../src/model/files/bundle-node.ts'

/** Characters whose embeddings are the extremes. */
export const extremes = { zero: 'Z', largest: 'X', outOfRange: 'Y' } as const
/** Columns of the extremes' embeddings, in parts of the largest value that was calibrated. */
export type Extremes = Readonly<Record<'largest' | 'outOfRange', (column: number) => number>>

/**
 * Writes the bundle anew, named `tiny` in its folder, ranges as calibrated before the extremes came in. Its output matrix is
 * not the embedding: an extreme would be every reply.
 */
export async function writeExtremeBundle(
  folder: string,
  { manifest, tensors, tokenizer }: Bundle,
  { largest: most, outOfRange }: Extremes,
): Promise<Bundle> {
  const { shape, data } = tensors.get('model.embed_tokens.weight')!
  const width = shape[1]
  const changed = Float32Array.from(data)
  const head = tensors.get('lm_head.weight')!.data.slice()
  const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  // Ids beyond the tokenizer's, which no text gives, must not be a reply either.
  const { model, added_tokens: specials } = tokenizer as TokenizerJson
  const ids = new Set([...Object.values(model.vocab), ...specials.map(({ id }) => id)])
  for (let id = 0; id < shape[0]; id++) if (!ids.has(id)) head.fill(0, id * width, (id + 1) * width)
  for (const [character, scale] of [
    [extremes.zero, () => 0],
    [extremes.largest, most],
    [extremes.outOfRange, outOfRange],
  ] as const) {
    const id = idOf(tokenizer, character)
    for (let i = 0; i < width; i++) changed[id * width + i] = scale(i) * largest
    head.fill(0, id * width, (id + 1) * width)
  }
  const { format: _, tensors: __, files: ___, ...about } = manifest
  await writeBundle(join(folder, 'tiny'), {
    ...about,
    // Every reply is as long as it may be, so that sessions have the same passes.
    chat: { ...about.chat!, stop: [] },
    tokenizer,
    tensors: new Map(tensors)
      .set('model.embed_tokens.weight', { shape, data: changed })
      .set('lm_head.weight', { shape, data: head }),
  })
  return loadBundle(join(folder, 'tiny'))
}

interface TokenizerJson {
  model: { vocab: Record<string, number> }
  added_tokens: { id: number }[]
}

const idOf = (tokenizer: object, character: string): number =>
  (tokenizer as TokenizerJson).model.vocab[character]
