import { activations, addTo, type Floats, linear, transpose, zerosLike } from '../math.ts'
import { headDim, type ModelConfig, type Tensors } from './config.ts'
import {
  activationsOf,
  attend,
  checkIds,
  type FloatModel,
  type FloatPrecision,
  makeCache,
  remember,
  type Tap,
  tensorLookup,
} from './float-model.ts'

interface Projection {
  /** `[out, in]`, unlike in the file. */
  weight: Float32Array
  bias: Float32Array
}

/** Float reference of the GPT-2 form: LayerNorm, learned positions, biases everywhere. */
export function gpt2Model(
  config: ModelConfig,
  tensors: Tensors,
  tap?: Tap,
  precision: FloatPrecision = 'float64',
): FloatModel {
  const c = config
  if (c.kvHeads !== c.heads) throw new Error('The GPT-2 form has as many key heads as heads.')
  const tensor = tensorLookup(c, tensors)
  const cache = makeCache(c, precision)
  const tokens = tensor('wte.weight')
  const positions = tensor('wpe.weight')
  const head = c.tied ? tokens : tensor('lm_head.weight')
  const act = activations[c.activation]
  const blocks = Array.from({ length: c.layers }, (_, layer) => {
    // Conv1D stores [in, out]; rows of outputs are what `linear` reads fast.
    const projection = (name: string, inputs: number, outputs: number): Projection => ({
      weight: transpose(tensor(`h.${layer}.${name}.weight`), inputs, outputs),
      bias: tensor(`h.${layer}.${name}.bias`),
    })
    return {
      attention: projection('attn.c_attn', c.dim, 3 * c.dim),
      attentionOut: projection('attn.c_proj', c.dim, c.dim),
      up: projection('mlp.c_fc', c.dim, c.ff),
      down: projection('mlp.c_proj', c.ff, c.dim),
    }
  })
  let position = 0

  const apply = (x: Floats, { weight, bias }: Projection) => linear(x, weight, bias.length, bias)

  function norm(name: string, x: Floats, say: (name: string, values: Floats) => void, tag: string) {
    return layerNorm(x, tensor(`${name}.weight`), tensor(`${name}.bias`), c.eps, (normal, variance) => {
      say(`n${tag}`, normal)
      say(`v${tag}`, variance)
    })
  }

  function block(layer: number, x: Floats): void {
    const say = (name: string, values: Floats) => tap?.(name, layer, Float64Array.from(values))
    const w = blocks[layer]
    say('x', x)
    const [q, k, v] = thirds(apply(norm(`h.${layer}.ln_1`, x, say, '1'), w.attention), c.heads * headDim(c))
    say('q', q)
    say('k', k)
    say('v', v)
    remember(cache[layer], k, v, position * c.dim)
    const a = attend(c, q, cache[layer], position, tap && ((s) => say('s', s)))
    say('a', a)
    addTo(x, apply(a, w.attentionOut))

    say('x2', x)
    const g = apply(norm(`h.${layer}.ln_2`, x, say, '2'), w.up)
    const h = g.map(act)
    say('g', g)
    say('h', h)
    addTo(x, apply(h, w.down))
  }

  return {
    config,
    get position() {
      return position
    },
    rewind(to = 0) {
      position = Math.min(position, to)
    },
    forward(ids, logits = 'last') {
      checkIds(c, position, ids)
      const x = activationsOf(precision, ids.length * c.dim)
      for (let t = 0; t < ids.length; t++)
        for (let i = 0; i < c.dim; i++)
          x[t * c.dim + i] = tokens[ids[t] * c.dim + i] + positions[(position + t) * c.dim + i]
      for (let layer = 0; layer < c.layers; layer++) block(layer, x)
      position += ids.length
      const say = (name: string, values: Floats) => tap?.(name, c.layers, Float64Array.from(values))
      say('xf', x)
      const nf = norm('ln_f', x, say, 'f')
      return Float64Array.from(linear(logits === 'all' ? nf : nf.subarray(nf.length - c.dim), head, c.vocab))
    },
  }
}

/** `[n, 3 * width]` to three of `[n, width]`. */
function thirds<T extends Floats>(x: T, width: number): T[] {
  const n = x.length / (3 * width)
  return [0, 1, 2].map((part) => {
    const out = zerosLike(x, n * width)
    for (let t = 0; t < n; t++) {
      const from = (3 * t + part) * width
      out.set(x.subarray(from, from + width), t * width)
    }
    return out
  })
}

/** (x - mean) / sqrt(variance + eps) * gain + bias, by rows as wide as the gain. */
export function layerNorm<T extends Floats>(
  x: T,
  gain: Float32Array,
  bias: Float32Array,
  eps: number,
  look?: (normal: T, variance: T) => void,
): T {
  const d = gain.length
  const normal = zerosLike(x, x.length)
  const variance = zerosLike(x, x.length / d)
  for (let t = 0; t < variance.length; t++) {
    const at = t * d
    let mean = 0
    for (let i = 0; i < d; i++) mean += x[at + i] / d
    let square = 0
    for (let i = 0; i < d; i++) square += (x[at + i] - mean) ** 2
    variance[t] = square / d
    const scale = 1 / Math.sqrt(square / d + eps)
    for (let i = 0; i < d; i++) normal[at + i] = (x[at + i] - mean) * scale
  }
  look?.(normal, variance)
  const out = zerosLike(x, x.length)
  for (let at = 0; at < out.length; at++) out[at] = normal[at] * gain[at % d] + bias[at % d]
  return out
}
