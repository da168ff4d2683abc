import { activations, addTo, type Floats, linear, zerosLike } from '../math.ts'
import { attentionWeights } from '../softmax.ts'
import { headDim, isEncoder, type ModelConfig, type Tensors } from './config.ts'
import { activationsOf, checkIds, type FloatPrecision, type Tap, tensorLookup } from './float-model.ts'
import { layerNorm } from './gpt2.ts'

/** One text, or two that token types tell apart. */
export interface EncoderInput {
  ids: ArrayLike<number>
  /** Token types; all 0 where nothing is said. */
  types?: ArrayLike<number>
  /** 0 where a token is padding, which no row attends to; all 1 where nothing is said. */
  mask?: ArrayLike<number>
}

export interface EncoderOutput {
  /** Last hidden states, `[n, dim]`. */
  hidden: Float64Array
  /** `[labels]` of a classifier, `[n, vocab]` of a masked language model, absent without a head. */
  logits?: Float64Array
}

/** A BERT or RoBERTa in floating point: in float64, the yardstick for every private computation. */
export interface EncoderModel {
  readonly config: ModelConfig
  /** Throws a `RangeError` past the context, or on an id or type outside its table. */
  forward(input: EncoderInput): EncoderOutput
}

/** Names of a head's tensors, which BERT and RoBERTa call differently. */
export const headNames = (config: ModelConfig) =>
  config.arch === 'bert'
    ? {
        pool: 'bert.pooler.dense',
        classifier: 'classifier',
        transform: 'cls.predictions.transform.dense',
        transformNorm: 'cls.predictions.transform.LayerNorm',
        decoder: 'cls.predictions.decoder.weight',
        decoderBias: 'cls.predictions.bias',
      }
    : {
        pool: 'classifier.dense',
        classifier: 'classifier.out_proj',
        transform: 'lm_head.dense',
        transformNorm: 'lm_head.layer_norm',
        decoder: 'lm_head.decoder.weight',
        decoderBias: 'lm_head.bias',
      }

/**
 * Float reference of BERT and RoBERTa: every row sees all rows, and a LayerNorm follows each block (Devlin et al., 2019;
 * Liu et al., 2019). It reports the values of `Tap`; `x` of a layer is what the norm *before* it reads, that is the
 * previous layer's output norm or the embedding's, and besides
 *
 * | name | what |
 * |---|---|
 * | `r1`, `r2`, `rf` | the norms' outputs, gain and bias applied: what goes on as the residual |
 * | `p` | head: input of tanh (classifier), or of the activation (masked language model), with layer = number of layers |
 * | `xp`, `vp`, `np` | masked language model: the head's own norm |
 */
export function encoderModel(
  config: ModelConfig,
  tensors: Tensors,
  tap?: Tap,
  precision: FloatPrecision = 'float64',
): EncoderModel {
  const c = config
  if (!isEncoder(c)) throw new Error(`A model of form "${c.arch}" is not an encoder.`)
  const known = new Map<string, Float32Array>()
  const lookup = tensorLookup(c, tensors)
  // Merging an adapter makes a matrix anew, so each is made once.
  const tensor = (name: string): Float32Array => {
    const data = known.get(name) ?? lookup(name)
    known.set(name, data)
    return data
  }
  const names = headNames(c)
  const act = activations[c.activation]
  const say = (name: string, layer: number, values: Floats) => tap?.(name, layer, Float64Array.from(values))
  const dense = (x: Floats, name: string): Floats => {
    const bias = tensor(`${name}.bias`)
    return linear(x, tensor(`${name}.weight`), bias.length, bias)
  }
  const norm = (x: Floats, name: string, layer: number, tag: string): Floats => {
    say(tag === '1' ? 'x' : `x${tag}`, layer, x)
    const out = layerNorm(x, tensor(`${name}.weight`), tensor(`${name}.bias`), c.eps, (normal, variance) => {
      say(`n${tag}`, layer, normal)
      say(`v${tag}`, layer, variance)
    })
    say(`r${tag}`, layer, out)
    return out
  }

  function embed({ ids, types }: EncoderInput): Floats {
    checkIds(c, 0, ids)
    const part = (name: string) => tensor(`${c.arch}.embeddings.${name}_embeddings.weight`)
    const tables = [part('word'), part('position'), part('token_type')]
    const x = activationsOf(precision, ids.length * c.dim)
    for (let t = 0; t < ids.length; t++) {
      const type = types?.[t] ?? 0
      if (!(type >= 0 && type < (c.types ?? 1)))
        throw new RangeError(`Token type ${type} is outside the table of ${c.types ?? 1}.`)
      const rows = [ids[t], t + (c.positionOffset ?? 0), type]
      for (let i = 0; i < c.dim; i++)
        x[t * c.dim + i] = tables.reduce((sum, table, n) => sum + table[rows[n] * c.dim + i], 0)
    }
    return x
  }

  function layer(l: number, before: Floats, mask?: ArrayLike<number>): Floats {
    const p = `${c.arch}.encoder.layer.${l}.`
    const first = l === 0 ? `${c.arch}.embeddings` : `${c.arch}.encoder.layer.${l - 1}.output`
    const x = norm(before, `${first}.LayerNorm`, l, '1')
    const [q, k, v] = ['query', 'key', 'value'].map((name) => dense(x, `${p}attention.self.${name}`))
    say('q', l, q)
    say('k', l, k)
    say('v', l, v)
    const a = attendAll(c, q, k, v, mask, tap && ((s) => say('s', l, s)))
    say('a', l, a)
    addTo(x, dense(a, `${p}attention.output.dense`))
    const x2 = norm(x, `${p}attention.output.LayerNorm`, l, '2')
    const g = dense(x2, `${p}intermediate.dense`)
    const h = g.map(act)
    say('g', l, g)
    say('h', l, h)
    addTo(x2, dense(h, `${p}output.dense`))
    return x2
  }

  function head(hidden: Floats): Floats | undefined {
    if (!c.head) return undefined
    if (c.head.kind === 'classify') {
      const p = dense(hidden.subarray(0, c.dim), names.pool)
      say('p', c.layers, p)
      return dense(p.map(Math.tanh), names.classifier)
    }
    const p = dense(hidden, names.transform)
    say('p', c.layers, p)
    const n = norm(p.map(act), names.transformNorm, c.layers, 'p')
    const table = tensor(c.tied ? `${c.arch}.embeddings.word_embeddings.weight` : names.decoder)
    return linear(n, table, c.vocab, tensor(names.decoderBias))
  }

  return {
    config,
    forward(input) {
      let x = embed(input)
      for (let l = 0; l < c.layers; l++) x = layer(l, x, input.mask)
      const last = c.layers === 0 ? `${c.arch}.embeddings` : `${c.arch}.encoder.layer.${c.layers - 1}.output`
      const rows = norm(x, `${last}.LayerNorm`, c.layers, 'f')
      const hidden = Float64Array.from(rows)
      const logits = head(rows)
      return logits ? { hidden, logits: Float64Array.from(logits) } : { hidden }
    },
  }
}

/**
 * Attention in which every row sees all rows that `mask` keeps: q, k, v and the result are `[n, heads * hd]`. Reports the
 * scaled logits before any soft cap, row by row and head by head.
 */
export function attendAll<T extends Floats>(
  c: ModelConfig,
  q: T,
  k: Floats,
  v: Floats,
  mask?: ArrayLike<number>,
  look?: (logits: Float64Array) => void,
): T {
  const hd = headDim(c)
  const n = q.length / c.dim
  const seen = Array.from({ length: n }, (_, j) => j).filter((j) => mask?.[j] !== 0)
  const out = zerosLike(q, q.length)
  const mixed = new Float64Array(hd)
  const all = new Float64Array(look ? n * c.heads * seen.length : 0)
  const scores = zerosLike(q, seen.length)
  for (let t = 0, at = 0; t < n; t++)
    for (let from = 0; from < c.dim; from += hd) {
      const row = t * c.dim + from
      seen.forEach((j, s) => {
        let sum = 0
        for (let i = 0; i < hd; i++) sum += q[row + i] * k[j * c.dim + from + i]
        scores[s] = sum / Math.sqrt(hd)
      })
      if (look) all.set(scores, at)
      at += seen.length
      attentionWeights(c, scores)
      mixed.fill(0)
      seen.forEach((j, s) => {
        for (let i = 0; i < hd; i++) mixed[i] += scores[s] * v[j * c.dim + from + i]
      })
      out.set(mixed, row)
    }
  look?.(all)
  return out
}
