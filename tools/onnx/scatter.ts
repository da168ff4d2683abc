import type { Tensor as OrtTensor } from 'onnxruntime-node'
import { embeddingWidth, type ModelConfig } from '../../src/model/architectures/config.ts'
import { graphOf } from '../../src/model/graph/graph-of.ts'

/**
 * Adds the gradient of the summed embeddings, `[rows, width of the tables]`, to those of the embedding tables, row by row; tables without a
 * gradient are left out. `feeds` has the `ids` and, where the model reads them, the `types`. Done here because duplicates make ONNX's scatter unreliable.
 */
export function scatterEmbeddings(
  config: ModelConfig,
  gradients: ReadonlyMap<string, Float32Array>,
  embedded: Float32Array,
  feeds: Readonly<Record<string, OrtTensor>>,
  length: number,
): void {
  const width = embeddingWidth(config)
  const ids = feeds.ids.data as BigInt64Array
  const types = feeds.types?.data as BigInt64Array | undefined
  for (const { tensor, by, offset } of graphOf(config).tables) {
    const table = gradients.get(tensor)
    if (!table) continue
    for (let row = 0; row < ids.length; row++) {
      const place = { token: Number(ids[row]), position: row % length, type: Number(types?.[row] ?? 0) }
      const at = (place[by] + offset) * width
      for (let i = 0; i < width; i++) table[at + i] += embedded[row * width + i]
    }
  }
}
