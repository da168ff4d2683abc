import { activations, addTo, type Floats, linear, zerosLike } from '../math.ts'
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
import { rotaryFrequencies } from './rope.ts'

/** Float reference of the LLaMA form: RMSNorm, rotary positions, grouped-query attention, gated FFN. */
export function llamaModel(
  config: ModelConfig,
  tensors: Tensors,
  tap?: Tap,
  precision: FloatPrecision = 'float64',
): FloatModel {
  const c = config
  const weight = tensorLookup(c, tensors)
  const cache = makeCache(c, precision)
  const kvWidth = c.kvHeads * headDim(c)
  const embedding = weight('model.embed_tokens.weight')
  const head = c.tied ? embedding : weight('lm_head.weight')
  const act = activations[c.activation]
  const frequencies = rotaryFrequencies(c)
  let position = 0

  function block(layer: number, x: Floats): void {
    const project = (input: Floats, name: string, outputs: number) =>
      linear(input, weight(`model.layers.${layer}.${name}_proj.weight`), outputs)
    const say = (name: string, values: Floats) => tap?.(name, layer, Float64Array.from(values))

    say('x', x)
    const n1 = rmsNorm(x, weight(`model.layers.${layer}.input_layernorm.weight`), c.eps, (normal, square) => {
      say('n1', normal)
      say('v1', square)
    })
    const q = project(n1, 'self_attn.q', c.dim)
    const k = project(n1, 'self_attn.k', kvWidth)
    const v = project(n1, 'self_attn.v', kvWidth)
    rotate(q, frequencies, position, c.dim)
    rotate(k, frequencies, position, kvWidth)
    say('q', q)
    say('k', k)
    say('v', v)
    remember(cache[layer], k, v, position * kvWidth)
    const a = attend(c, q, cache[layer], position, tap && ((s) => say('s', s)))
    say('a', a)
    addTo(x, project(a, 'self_attn.o', c.dim))

    say('x2', x)
    const gain = weight(`model.layers.${layer}.post_attention_layernorm.weight`)
    const n2 = rmsNorm(x, gain, c.eps, (normal, square) => {
      say('n2', normal)
      say('v2', square)
    })
    const g = project(n2, 'mlp.gate', c.ff)
    const u = project(n2, 'mlp.up', c.ff)
    const h = zerosLike(u, u.length)
    for (let i = 0; i < h.length; i++) h[i] = act(g[i]) * u[i]
    say('g', g)
    say('u', u)
    say('h', h)
    addTo(x, project(h, 'mlp.down', c.dim))
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
        x.set(embedding.subarray(ids[t] * c.dim, (ids[t] + 1) * c.dim), t * c.dim)
      for (let layer = 0; layer < c.layers; layer++) block(layer, x)
      position += ids.length
      tap?.('xf', c.layers, Float64Array.from(x))
      const nf = rmsNorm(x, weight('model.norm.weight'), c.eps, (normal, square) => {
        tap?.('nf', c.layers, Float64Array.from(normal))
        tap?.('vf', c.layers, Float64Array.from(square))
      })
      return Float64Array.from(linear(logits === 'all' ? nf : nf.subarray(nf.length - c.dim), head, c.vocab))
    },
  }
}

/** x / sqrt(mean(x^2) + eps) * gain, by rows as wide as the gain. */
export function rmsNorm<T extends Floats>(
  x: T,
  gain: Float32Array,
  eps: number,
  look?: (normal: T, meanSquare: T) => void,
): T {
  const d = gain.length
  const normal = zerosLike(x, x.length)
  const meanSquare = zerosLike(x, x.length / d)
  for (let t = 0; t < meanSquare.length; t++) {
    let sum = 0
    for (let i = 0; i < d; i++) sum += x[t * d + i] ** 2
    meanSquare[t] = sum / d
    const scale = 1 / Math.sqrt(meanSquare[t] + eps)
    for (let i = 0; i < d; i++) normal[t * d + i] = x[t * d + i] * scale
  }
  look?.(normal, meanSquare)
  const out = zerosLike(x, x.length)
  for (let at = 0; at < out.length; at++) out[at] = normal[at] * gain[at % d]
  return out
}

/**
 * Rotary embedding in place on rows of heads, `[n, width]`, the first row at `position`: component i of a head's first
 * half turns with component i of the second (Hugging Face's `rotate_half`) by `frequencies[i]` radians a position.
 */
export function rotate(x: Floats, frequencies: Float64Array, position: number, width: number): void {
  const half = frequencies.length
  for (let row = 0; row < x.length; row += width, position++)
    for (let i = 0; i < half; i++) {
      const cos = Math.cos(position * frequencies[i])
      const sin = Math.sin(position * frequencies[i])
      for (let at = row + i; at < row + width; at += 2 * half) {
        const a = x[at]
        const b = x[at + half]
        x[at] = a * cos - b * sin
        x[at + half] = b * cos + a * sin
      }
    }
}
