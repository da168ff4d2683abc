/**
 * Rescales channels that only linear steps write and read, by powers of two, so that none stands out: the function of
 * the model stays exactly what it was, and fixed point needs fewer bits for it. Nagel et al., Data-Free Quantization
 * Through Weight Equalization and Bias Correction, 2019, calls it cross-layer equalization.
 */
import { headDim, type ModelConfig, type Tensor } from '../../src/model/architectures/config.ts'

/** Factors for one side of a matrix, or for a bias: powers of two. */
export interface Scaling {
  readonly side: 'outputs' | 'inputs'
  readonly factors: Float64Array
}

/** Reads one tensor at a time, so that a large model needs the memory of one. */
export type ReadTensor = (name: string) => Tensor | Promise<Tensor>

/** Channels within this factor of what is usual are left alone. */
const USUAL = 4

/** Names of a layer's matrices, without `.weight`, and of the gains that the first product's inputs carry. */
function namesOf(config: ModelConfig, layer: number) {
  if (config.arch === 'gpt2') {
    const p = `h.${layer}.`
    return { q: `${p}attn.c_attn`, out: `${p}attn.c_proj`, gain1: `${p}ln_1.weight` }
  }
  if (config.arch === 'llama') {
    const p = `model.layers.${layer}.`
    return {
      q: `${p}self_attn.q_proj`,
      k: `${p}self_attn.k_proj`,
      v: `${p}self_attn.v_proj`,
      out: `${p}self_attn.o_proj`,
      gain1: `${p}input_layernorm.weight`,
      up: `${p}mlp.up_proj`,
      down: `${p}mlp.down_proj`,
      gain2: `${p}post_attention_layernorm.weight`,
    }
  }
  const p = `${config.arch}.encoder.layer.${layer}.attention.`
  return { q: `${p}self.query`, k: `${p}self.key`, v: `${p}self.value`, out: `${p}output.dense` }
}

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
  gain?: Tensor,
): Float64Array {
  const [rows, columns] = shape
  const isTransposed = config.arch === 'gpt2'
  const byRow = (side === 'outputs') === !isTransposed
  const out = new Float64Array(byRow ? rows : columns)
  for (let r = 0, at = 0; r < rows; r++)
    for (let c = 0; c < columns; c++, at++)
      out[byRow ? r : c] += (data[at] * (gain?.data[isTransposed ? r : c] ?? 1)) ** 2
  return out.map(Math.sqrt)
}

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
  const put = (name: string, side: Scaling['side'], factors: Float64Array): void => {
    if (factors.every((factor) => factor === 1)) return
    scalings.set(`${name}.weight`, { side, factors })
    // A LLaMA has no biases; nobody asks for this name then.
    if (side === 'outputs') scalings.set(`${name}.bias`, { side, factors })
  }
  for (let layer = 0; layer < config.layers; layer++) {
    const names = namesOf(config, layer)
    const gain = names.gain1 ? await read(names.gain1) : undefined
    const written = async (name: string) => norms(config, 'outputs', await read(`${name}.weight`), gain)
    const first = await written(names.q)
    const { dim } = config
    const isFused = names.k === undefined
    const q = first.slice(0, dim)
    const k = isFused ? first.slice(dim, 2 * dim) : await written(names.k!)
    const v = isFused ? first.slice(2 * dim) : await written(names.v!)
    const factors = attentionFactors(
      config,
      q,
      k,
      v,
      norms(config, 'inputs', await read(`${names.out}.weight`)),
    )
    if (isFused) put(names.q, 'outputs', Float64Array.of(...factors.q, ...factors.k, ...factors.v))
    else {
      put(names.q, 'outputs', factors.q)
      put(names.k!, 'outputs', factors.k)
      put(names.v!, 'outputs', factors.v)
    }
    put(names.out, 'inputs', factors.out)
    if (!names.up) continue
    const up = norms(config, 'outputs', await read(`${names.up}.weight`), await read(names.gain2))
    const ups = between(up, norms(config, 'inputs', await read(`${names.down}.weight`)))
    put(names.up, 'outputs', ups)
    put(
      names.down,
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
  // The protocol's queries carry log2(e) / sqrt(headDim) besides.
  const folded = Math.LOG2E / Math.sqrt(hd)
  for (let head = 0; head < config.heads; head++)
    for (let i = 0; i < hd; i++) {
      const cached = Math.floor(head / group) * hd
      factors.out[head * hd + i] = 1 / factors.v[cached + i]
      const pair = config.arch === 'llama' ? [i % (hd / 2), (i % (hd / 2)) + hd / 2] : [i]
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
  const byRow = shape.length === 2 && (side === 'outputs') === (config.arch !== 'gpt2')
  for (let at = 0; at < data.length; at++)
    data[at] *= factors[byRow ? Math.floor(at / columns) : at % columns]
}
