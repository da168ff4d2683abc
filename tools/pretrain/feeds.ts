import { Tensor as OrtTensor } from 'onnxruntime-node'
import type { Tensors } from '../../src/model/architectures/config.ts'

/** One text as the encoder reads it, special tokens included. */
export interface TrainingText {
  ids: number[]
  /** Token types; all 0 where nothing is said. */
  types?: number[]
}

/** Lengths to which texts are padded, so that a graph is compiled for few shapes only. */
export const buckets = [16, 24, 32, 48, 64, 96, 128, 256, 512]

/** The smallest bucket that holds `length`, at most the model's context. */
export const bucketOf = (length: number, context: number): number =>
  Math.min(context, buckets.find((bucket) => bucket >= length) ?? context)

export type Feeds = Record<string, OrtTensor>

/** Inputs of an encoder graph: texts padded to `length`, and empty rows up to `rows`. */
export function textFeeds(texts: TrainingText[], rows: number, length: number, pad: number): Feeds {
  const ids = new BigInt64Array(rows * length).fill(BigInt(pad))
  const types = new BigInt64Array(rows * length)
  const mask = new Float32Array(rows * length).fill(-1e9)
  texts.forEach((text, row) => {
    if (text.ids.length > length)
      throw new RangeError(`A text of ${text.ids.length} tokens in rows of ${length}.`)
    text.ids.forEach((id, i) => {
      ids[row * length + i] = BigInt(id)
      types[row * length + i] = BigInt(text.types?.[i] ?? 0)
      mask[row * length + i] = 0
    })
  })
  // Empty rows see one token: of none at all a softmax with a constant cap makes 0 / 0, which no weight of zero undoes.
  for (let row = texts.length; row < rows; row++) mask[row * length] = 0
  return {
    ids: new OrtTensor('int64', ids, [rows * length]),
    types: new OrtTensor('int64', types, [rows * length]),
    mask: new OrtTensor('float32', mask, [rows, 1, 1, length]),
  }
}

export function weightFeeds(weights: Tensors): Feeds {
  const entries = [...weights].map(([name, { shape, data }]) => [name, new OrtTensor('float32', data, shape)])
  return Object.fromEntries(entries) as Feeds
}
