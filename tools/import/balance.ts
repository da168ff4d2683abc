/**
 * Rescales channels that only linear steps write and read, by powers of two, so that none stands out: the function of
 * the model stays exactly what it was, and fixed point needs fewer bits for it. Nagel et al., Data-Free Quantization
 * Through Weight Equalization and Bias Correction, 2019, calls it cross-layer equalization.
 */
import { headDim, type ModelConfig, rotaryDim, type Tensor } from '../../src/model/architectures/config.ts'
import { architectureOf } from '../../src/model/architectures/registry.ts'
import { type Dense, learned, type Norm } from '../../src/model/graph/graph.ts'
import { graphOf } from '../../src/model/graph/graph-of.ts'
import { gainOf } from '../../src/model/graph/weights.ts'
import type { Floats } from '../../src/model/math.ts'
import { scoreScale } from '../../src/model/score-scale.ts'

/** Factors for one side of a matrix, or for a bias: powers of two. */
export interface Scaling {
  readonly side: 'outputs' | 'inputs'
  readonly factors: Float64Array
}

/** Reads one tensor at a time, so that a large model needs the memory of one. */
export type ReadTensor = (name: string) => Tensor | Promise<Tensor>

/** Channels within this factor of what is usual are left alone. */
const USUAL = 4

/** The factor that brings `size` near `usual`, a power of two; 1 where it is near already. */
function towards(usual: number, size: number): number {
  const ratio = usual / size
  if (!(ratio > 0 && Number.isFinite(ratio)) || (ratio < USUAL && ratio > 1 / USUAL)) return 1
  return 2 ** Math.round(Math.log2(ratio))
}

const median = (values: Float64Array): number => values.slice().sort()[values.length >> 1]

/** Euclidean norm of the weights of each output, or of each input, whose gain they carry. */
function norms(
  config: ModelConfig,
  side: Scaling['side'],
  { shape, data }: Tensor,
  gain?: Floats,
): Float64Array {
  const [rows, columns] = shape
  const isTransposed = architectureOf(config).layout === 'in-out'
  const byRow = (side === 'outputs') === !isTransposed
  const out = new Float64Array(byRow ? rows : columns)
  for (let r = 0, at = 0; r < rows; r++)
    for (let c = 0; c < columns; c++, at++)
      out[byRow ? r : c] += (data[at] * (gain?.[isTransposed ? r : c] ?? 1)) ** 2
  return out.map(Math.sqrt)
}

const gainFrom = async (read: ReadTensor, norm: Norm): Promise<Floats> => {
  const own = learned(norm)
  return gainOf(own, (await read(own.gain)).data)
}

/** Of the outputs of a tensor, those of one of the matrices in it. */
const ownOutputs = ({ part, outputs }: Dense, all: Float64Array): Float64Array =>
  part ? all.slice(part.from, part.from + outputs) : all

/** Factors for what writes channels, so that what writes a channel and what reads it stand out alike, if at all. */
function between(written: Float64Array, read: Float64Array): Float64Array {
  const [usualWritten, usualRead] = [median(written), median(read)]
  return written.map((size, i) => {
    const out = size / usualWritten
    const back = read[i] / usualRead
    return towards(1, Math.sqrt(out / back))
  })
}

/** What to scale, by tensor name. */
export async function balance(config: ModelConfig, read: ReadTensor): Promise<Map<string, Scaling>> {
  const scalings = new Map<string, Scaling>()
  const put = ({ weight, bias, part }: Dense, side: Scaling['side'], factors: Float64Array): void => {
    if (factors.every((factor) => factor === 1)) return
    let all = factors
    if (part) {
      all = scalings.get(weight)?.factors ?? new Float64Array(part.of).fill(1)
      all.set(factors, part.from)
    }
    scalings.set(weight, { side, factors: all })
    if (side === 'outputs' && bias) scalings.set(bias, { side, factors: all })
  }
  const { layers, skip } = graphOf(config)
  for (const layer of layers) {
    // A norm whose result is carried on besides has rows of a size that its gain does not tell.
    const gain = skip === 'stream' ? await gainFrom(read, layer.attentionNorm) : undefined
    const written = async (dense: Dense) =>
      ownOutputs(dense, norms(config, 'outputs', await read(dense.weight), gain))
    const readBy = async ({ weight }: Dense) => norms(config, 'inputs', await read(weight))
    const { query, key, value, attentionOutput, up, down } = layer
    const [q, k, v] = [await written(query), await written(key), await written(value)]
    const factors = attentionFactors(config, q, k, v, await readBy(attentionOutput))
    // A norm of every head takes any factor off again.
    if (!layer.queryNorm) {
      put(query, 'outputs', factors.q)
      put(key, 'outputs', factors.k)
    }
    put(value, 'outputs', factors.v)
    put(attentionOutput, 'inputs', factors.out)
    if (!up) continue
    const upGain = await gainFrom(read, layer.feedForwardNorm)
    const upSizes = norms(config, 'outputs', await read(up.weight), upGain)
    const ups = between(ownOutputs(up, upSizes), await readBy(down))
    put(up, 'outputs', ups)
    put(
      down,
      'inputs',
      ups.map((factor) => 1 / factor),
    )
  }
  return scalings
}

/**
 * Values against what reads them; queries against keys, both components of a rotary pair alike.
 * @param out norms of the output matrix's inputs
 */
function attentionFactors(
  config: ModelConfig,
  q: Float64Array,
  k: Float64Array,
  v: Float64Array,
  out: Float64Array,
) {
  const hd = headDim(config)
  const turned = graphOf(config).isRotary ? rotaryDim(config) : 0
  const group = config.heads / config.kvHeads
  // One value serves a group of heads.
  const read = v.map((_, at) => {
    const first = Math.floor(at / hd) * group * hd + (at % hd)
    return Math.hypot(...Array.from({ length: group }, (_, g) => out[first + g * hd]))
  })
  const factors = {
    q: new Float64Array(q.length).fill(1),
    k: new Float64Array(k.length).fill(1),
    v: between(v, read),
    out: new Float64Array(q.length),
  }
  // The protocol's queries carry the scores' scale besides, in octaves.
  const folded = Math.LOG2E * scoreScale(config)
  for (let head = 0; head < config.heads; head++)
    for (let i = 0; i < hd; i++) {
      const cached = Math.floor(head / group) * hd
      factors.out[head * hd + i] = 1 / factors.v[cached + i]
      const pair = i < turned ? [i % (turned / 2), (i % (turned / 2)) + turned / 2] : [i]
      const size = (norms: Float64Array, from: number) => Math.hypot(...pair.map((at) => norms[from + at]))
      // One key serves a group of queries: the first head of the group decides.
      const queries = size(q, Math.floor(head / group) * group * hd) * folded
      const factor = Math.sqrt(towards(queries, size(k, cached)))
      const by = 2 ** Math.round(Math.log2(factor))
      factors.k[cached + i] = by
      factors.q[head * hd + i] = 1 / by
    }
  return factors
}

/** Scales a tensor in place. */
export function applyScaling(config: ModelConfig, { shape, data }: Tensor, scaling?: Scaling): void {
  if (!scaling) return
  const { factors, side } = scaling
  const columns = shape.at(-1)!
  const byRow = shape.length === 2 && (side === 'outputs') === (architectureOf(config).layout === 'out-in')
  for (let at = 0; at < data.length; at++)
    data[at] *= factors[byRow ? Math.floor(at / columns) : at % columns]
}
