import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { isOfLayer, tensorShapes } from '../../src/model/graph/tensors.ts'
import { PredictableRandom } from '../../src/model/random.ts'
import { adapterTargets, type MethodOptions, type Prepared } from './base.ts'

/**
 * A chat model with adapters on every matrix of its layers: A uniform as Kaiming has it and the same for the same seed,
 * B zero, so that nothing changes at first. FFA-LoRA (Sun et al., 2024) never trains A. `full` trains the layers
 * themselves. Embedding, head and norms stay as the base has them. Throws for a base that has adapters already.
 */
export function prepareChat(
  base: { config: ModelConfig; tensors: Tensors },
  { method, rank, alpha, seed }: MethodOptions,
): Prepared {
  if (base.config.lora) throw new Error('The base has adapters already. Start from a model without.')
  const lora = method === 'full' ? undefined : { rank, alpha, targets: adapterTargets(base.config) }
  const config: ModelConfig = { ...base.config, lora }
  const random = new PredictableRandom(seed)
  const tensors: Tensors = new Map()
  const trained = new Set<string>()
  for (const [name, shape] of tensorShapes(config)) {
    const half = /\.lora_([AB])\.weight$/.exec(name)?.[1]
    const data = base.tensors.get(name)?.data.slice() ?? new Float32Array(shape.reduce((a, b) => a * b, 1))
    const bound = 1 / Math.sqrt(shape[shape.length - 1])
    if (half === 'A') for (let i = 0; i < data.length; i++) data[i] = bound * (2 * random.uniform() - 1)
    tensors.set(name, { shape, data })
    const isMatrixOfLayer = isOfLayer(config, name) && shape.length === 2
    if (half ? half === 'B' || method === 'lora' : method === 'full' && isMatrixOfLayer) trained.add(name)
  }
  return { config, tensors, trained }
}
