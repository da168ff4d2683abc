/** Quantized models of random weights: of trained ones' shape and cost, and of no use. */
import { headDim, type ModelConfig, type Tensors } from '../../../../model/architectures/config.ts'
import { tensorShapes } from '../../../../model/graph/tensors.ts'
import { PredictableRandom } from '../../../../model/random.ts'
import { formOf } from './form.ts'
import { allMatrices, denseOf } from './matrices.ts'
import type { Quantization } from './quantization.ts'

/** Whether all columns have one scale, or each a secret one. */
export const columnScales = ['public', 'private'] as const
export type ColumnScales = (typeof columnScales)[number]

const log2 = (x: number): number => Math.max(0, Math.round(Math.log2(x)))

/**
 * What keeps random weights of this shape within their rings: standard deviations of a few units throughout, and of so many
 * octaves of attention's scores.
 */
export function randomQuantization(
  config: ModelConfig,
  { scales, octaves }: { scales: ColumnScales; octaves: number },
): Quantization {
  const { dim, ff } = config
  const { isCausal, isGated, activation, labels } = formOf(config)
  const al = scales === 'public' ? 1 : 5.5
  const [x, v, g] = [3, 3, 3]
  const th = isGated ? (activation === 'linear' ? 4 : 3) : 0
  const root = Math.sqrt(dim) * 8 * al
  const qk = Math.round(Math.log2((Math.sqrt(headDim(config)) * 256) / octaves) / 2)
  const stream = x + 2
  const up = log2((isCausal ? root : Math.sqrt(dim) * 48 * al) / 8)
  const hidden = isGated ? 2 * g - th : g
  return {
    ...{ weightBits: 1, x, qk, v, g, th, cap: 2 + Math.ceil(4 * octaves) },
    weights: {
      qk: log2(root / 16) - x + qk,
      v: log2(root / 8) - x + v,
      out: log2(root / 24) - (v + 1) + stream,
      up: up - (isCausal ? x : stream) + g,
      down: log2((Math.sqrt(ff) * 7 * al) / 24) - hidden + stream,
      ...(labels === undefined ? {} : { head: 4 }),
    },
    rings: { v: 5, g: 8, y: 12, sq: log2(dim * 48 ** 2) + 2 },
  }
}

/** Signs times the columns' scales, and small biases, as the reals that they stand for. */
export function randomSigns(config: ModelConfig, q: Quantization, scales: ColumnScales, seed = 7): Tensors {
  const random = new PredictableRandom(seed)
  const tensors: Tensors = new Map()
  for (const [name, shape] of tensorShapes(config)) {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal())
    tensors.set(name, { shape, data })
  }
  for (const place of allMatrices(config))
    for (const { weight, bias, inputs, outputs } of denseOf(config, place)) {
      const unit = 2 ** -(q.weights[place.role] ?? 0)
      const { data } = tensors.get(weight)!
      for (let j = 0; j < outputs; j++) {
        const scale = scales === 'public' ? 1 : 4 + random.below(4)
        for (let i = 0; i < inputs; i++) data[j * inputs + i] = (random.below(2) * 2 - 1) * scale * unit
      }
      if (!bias) continue
      const from = 2 ** -(place.role === 'out' ? q.v + 1 : q.x)
      const own = tensors.get(bias)!.data
      for (let j = 0; j < outputs; j++) own[j] = (random.below(17) - 8) * unit * from
    }
  return tensors
}
