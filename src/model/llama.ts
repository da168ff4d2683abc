import { headDim, type ModelConfig, type Tensors } from './config.ts'
import { attend, checkIds, type FloatModel, makeCache, type Tap, tensorLookup } from './float-model.ts'
import { activations, addTo, linear } from './math.ts'

/** Float reference of the LLaMA form: RMSNorm, rotary positions, grouped-query attention, gated FFN. */
export function llamaModel(config: ModelConfig, tensors: Tensors, tap?: Tap): FloatModel {
  const c = config
  const weight = tensorLookup(c, tensors)
  const cache = makeCache(c)
  const kvWidth = c.kvHeads * headDim(c)
  const embedding = weight('model.embed_tokens.weight')
  const head = c.tied ? embedding : weight('lm_head.weight')
  const act = activations[c.activation]
  let position = 0

  function block(layer: number, x: Float64Array): void {
    const project = (input: Float64Array, name: string, outputs: number) =>
      linear(input, weight(`model.layers.${layer}.${name}_proj.weight`), outputs)
    const say = (name: string, values: Float64Array) => tap?.(name, layer, values.slice())

    say('x', x)
    const n1 = rmsNorm(x, weight(`model.layers.${layer}.input_layernorm.weight`), c.eps, (normal, square) => {
      say('n1', normal)
      say('v1', square)
    })
    const q = project(n1, 'self_attn.q', c.dim)
    const k = project(n1, 'self_attn.k', kvWidth)
    const v = project(n1, 'self_attn.v', kvWidth)
    rotate(q, c, c.heads, position)
    rotate(k, c, c.kvHeads, position)
    say('q', q)
    say('k', k)
    say('v', v)
    cache[layer].keys.set(k, position * kvWidth)
    cache[layer].values.set(v, position * kvWidth)
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
    const h = u.map((up, i) => act(g[i]) * up)
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
      const x = new Float64Array(ids.length * c.dim)
      for (let t = 0; t < ids.length; t++)
        x.set(embedding.subarray(ids[t] * c.dim, (ids[t] + 1) * c.dim), t * c.dim)
      for (let layer = 0; layer < c.layers; layer++) block(layer, x)
      position += ids.length
      tap?.('xf', c.layers, x.slice())
      const nf = rmsNorm(x, weight('model.norm.weight'), c.eps, (normal, square) => {
        tap?.('nf', c.layers, normal)
        tap?.('vf', c.layers, square)
      })
      return linear(logits === 'all' ? nf : nf.subarray(nf.length - c.dim), head, c.vocab)
    },
  }
}

/** x / sqrt(mean(x^2) + eps) * gain, by rows as wide as the gain. */
export function rmsNorm(
  x: Float64Array,
  gain: Float32Array,
  eps: number,
  look?: (normal: Float64Array, meanSquare: Float64Array) => void,
): Float64Array {
  const d = gain.length
  const normal = new Float64Array(x.length)
  const meanSquare = new Float64Array(x.length / d)
  for (let t = 0; t < meanSquare.length; t++) {
    let sum = 0
    for (let i = 0; i < d; i++) sum += x[t * d + i] ** 2
    meanSquare[t] = sum / d
    const scale = 1 / Math.sqrt(meanSquare[t] + eps)
    for (let i = 0; i < d; i++) normal[t * d + i] = x[t * d + i] * scale
  }
  look?.(normal, meanSquare)
  return normal.map((value, at) => value * gain[at % d])
}

/**
 * Rotary embedding in place on `[n, heads * hd]`, the first row at `position`:
 * component i of the first half turns with component i of the second (Hugging Face's `rotate_half`).
 */
export function rotate(x: Float64Array, c: ModelConfig, heads: number, position: number): void {
  const hd = headDim(c)
  const half = hd / 2
  const n = x.length / (heads * hd)
  for (let t = 0; t < n; t++) {
    for (let i = 0; i < half; i++) {
      const angle = (position + t) / (c.ropeTheta ?? 10000) ** ((2 * i) / hd)
      const cos = Math.cos(angle)
      const sin = Math.sin(angle)
      for (let at = t * heads * hd + i; at < (t + 1) * heads * hd; at += hd) {
        const a = x[at]
        const b = x[at + half]
        x[at] = a * cos - b * sin
        x[at + half] = b * cos + a * sin
      }
    }
  }
}
