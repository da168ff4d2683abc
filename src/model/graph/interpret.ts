/** Runs a model's graph in floating point: in float64, the yardstick for every private computation. */
import {
  embeddingWidth,
  headDim,
  type ModelConfig,
  queryWidth,
  type Tensors,
} from '../architectures/config.ts'
import { activations, addTo, type Floats, linear, poolActivations, zerosLike } from '../math.ts'
import { layerNorm, rmsNorm } from '../norm.ts'
import { rotaryFrequencies, rotate, turnStretch, windowOf } from '../rope.ts'
import { attend, type KeysAndValues } from './attend.ts'
import { LayerCache } from './cache.ts'
import { checkIds } from './check-ids.ts'
import type { Dense, LearnedNorm, ModelGraph, Norm } from './graph.ts'
import { graphOf } from './graph-of.ts'
import type { NormPlace, OwnNormed, Tap, TapName } from './taps.ts'
import { WeightTable } from './weights.ts'

/** How activations are stored: in float32 as other runtimes do, or in float64 as the yardstick. */
export type FloatPrecision = 'float64' | 'float32'

/** One text, or two that token types tell apart. */
export interface TextInput {
  ids: ArrayLike<number>
  /** Token types; all 0 where nothing is said. */
  types?: ArrayLike<number>
  /** 0 where a token is padding, which no row attends to; all 1 where nothing is said. */
  mask?: ArrayLike<number>
}

/**
 * Runs a graph in floating point, one text or one conversation at a time; a causal one keeps keys and values.
 */
export class Interpreter {
  readonly config: ModelConfig
  readonly #graph: ModelGraph
  readonly #weights: WeightTable
  readonly #tap?: Tap
  readonly #none: Floats
  /** Of each layer, in rotary models. */
  readonly #frequencies: readonly Float64Array[]
  readonly #caches: LayerCache[]
  #position = 0

  /** Throws for a missing or misshapen embedding table; for others when they are first used. */
  constructor(config: ModelConfig, tensors: Tensors, tap?: Tap, precision: FloatPrecision = 'float64') {
    this.config = config
    this.#graph = graphOf(config)
    this.#weights = new WeightTable(config, tensors)
    this.#tap = tap
    this.#none = precision === 'float32' ? new Float32Array() : new Float64Array()
    this.#caches = this.#graph.layers.map(() => new LayerCache(config, this.#none))
    this.#frequencies = this.#graph.isRotary
      ? this.#graph.layers.map((_, layer) => rotaryFrequencies(config, layer))
      : []
    for (const { tensor } of this.#graph.tables) this.#weights.tensor(tensor)
  }

  /** Tokens of a causal model that later ones attend to. */
  get position(): number {
    return this.#position
  }

  /** Forgets everything after `position` tokens. */
  rewind(position: number): void {
    this.#position = Math.min(this.#position, position)
  }

  /**
   * Rows after the final norm, `[n, dim]`; those of a causal model go on from what it has seen. Throws `RangeError` past
   * the context, or on an id or type outside its table.
   */
  hidden(input: TextInput): Floats {
    const { layers, finalNorm } = this.#graph
    let x = this.#stream(input)
    layers.forEach((_, l) => {
      x = this.#layer(l, x, input.mask)
    })
    if (this.#graph.attention === 'causal') this.#position += input.ids.length
    return this.#norm(x, finalNorm, layers.length, 'final')
  }

  /**
   * What the head makes of such rows: logits `[n, vocab]`, of a tagger `[n, labels]` or, of a whole text, `[labels]`; nothing
   * without a head.
   */
  head(hidden: Floats, mask?: ArrayLike<number>): Floats | undefined {
    const { head, layers } = this.#graph
    if (head.kind === 'none') return undefined
    if (head.kind === 'labels') {
      const row =
        head.reads === 'mean' ? mean(hidden, this.config.dim, mask) : hidden.subarray(0, this.config.dim)
      if (!head.pool) return this.#dense(row, head.output)
      const pool = this.#dense(row, head.pool)
      this.#report('pool', layers.length, pool)
      const x = pool.map(poolActivations[head.poolActivation])
      return this.#dense(head.poolNorm ? this.#norm(x, head.poolNorm, layers.length, 'head') : x, head.output)
    }
    if (!head.transform) return this.#dense(hidden, head.output)
    const pool = this.#dense(hidden, head.transform.dense)
    this.#report('pool', layers.length, pool)
    const x = pool.map(activations[this.#graph.activation])
    return this.#dense(this.#norm(x, head.transform.norm, layers.length, 'head'), head.output)
  }

  /** Reports a text's embedding and what the first norm makes of it, and no more. */
  embedded(input: TextInput): void {
    this.#norm(this.#stream(input), this.#graph.layers[0].attentionNorm, 0, 'attention')
  }

  #stream(input: TextInput): Floats {
    const { embeddingNorm, projection } = this.#graph
    const x = this.#normalised(this.#embed(input), embeddingNorm)
    return projection ? this.#dense(x, projection) : x
  }

  #embed({ ids, types }: TextInput): Floats {
    const c = this.config
    checkIds(c, this.#position, ids)
    const tables = this.#graph.tables.map((table) => ({ ...table, data: this.#weights.tensor(table.tensor) }))
    const width = embeddingWidth(c)
    const x = zerosLike(this.#none, ids.length * width)
    for (let t = 0; t < ids.length; t++) {
      const index = { token: ids[t], position: this.#position + t, type: types?.[t] ?? 0 }
      checkType(c, index.type)
      for (const { by, offset, data, scale = 1 } of tables) {
        const at = (index[by] + offset) * width
        for (let i = 0; i < width; i++) x[t * width + i] += scale * data[at + i]
      }
    }
    return x
  }

  /** One layer; writes to `x` or, where normalised rows are carried on, to these. */
  #layer(l: number, x: Floats, mask?: ArrayLike<number>): Floats {
    const w = this.#graph.layers[l]
    const n = this.#norm(x, w.attentionNorm, l, 'attention')
    const q = this.#turned(l, n, 'query')
    const k = this.#turned(l, n, 'key')
    const v = this.#dense(n, w.value)
    this.#report('value', l, v)
    const mixed = this.#attend(l, q, { keys: k, values: v }, mask)
    this.#report('mixed-values', l, mixed)
    const attended = this.#skip(x, n)
    addTo(attended, this.#added(mixed, w.attentionOutput, w.attentionOutputNorm, l, 'added'))

    const m = this.#graph.isParallel ? n : this.#norm(attended, w.feedForwardNorm, l, 'feed-forward')
    const gate = this.#dense(m, w.gate)
    this.#report('gate', l, gate)
    const act = activations[this.#graph.activation]
    const up = w.up && this.#dense(m, w.up)
    if (up) this.#report('up', l, up)
    const inner = gate.map(up ? (value, i) => act(value) * up[i] : act)
    this.#report('gated', l, inner)
    const out = this.#graph.isParallel ? attended : this.#skip(attended, m)
    addTo(out, this.#added(inner, w.down, w.downNorm, l, 'fed'))
    return out
  }

  #skip(stream: Floats, normalised: Floats): Floats {
    return this.#graph.skip === 'stream' ? stream : normalised
  }

  #attend(l: number, q: Floats, own: KeysAndValues, mask?: ArrayLike<number>): Floats {
    const tap = this.#tap && ((logits: Float64Array) => this.#report('attention-logits', l, logits))
    if (this.#graph.attention === 'causal') {
      const all = this.#caches[l].remember(own.keys, own.values, this.#position)
      return attend(this.config, q, all, (t) => this.#position + t + 1, tap)
    }
    const n = q.length / queryWidth(this.config)
    const rows = Array.from({ length: n }, (_, j) => j).filter((j) => mask?.[j] !== 0)
    const among = (some: readonly number[]): KeysAndValues => ({
      keys: pick(own.keys, some, n),
      values: pick(own.values, some, n),
    })
    const window = windowOf(this.config, l)
    if (window === undefined) return attend(this.config, q, mask ? among(rows) : own, () => rows.length, tap)
    const out = zerosLike(q, q.length)
    for (let t = 0; t < n; t++) {
      const near = rows.filter((j) => Math.abs(j - t) <= window)
      out.set(
        attend(this.config, pick(q, [t], n), among(near), () => near.length, tap),
        (t * q.length) / n,
      )
    }
    return out
  }

  /** Queries or keys of rows: every head normed by itself where the model does so, and turned. */
  #turned(l: number, rows: Floats, name: 'query' | 'key'): Floats {
    const layer = this.#graph.layers[l]
    const norm = name === 'query' ? layer.queryNorm : layer.keyNorm
    const x = this.#ownNorm(this.#dense(rows, layer[name]), norm, l, name)
    const c = this.config
    const part = { headDim: headDim(c), amplitude: turnStretch(c) }
    const frequencies = this.#frequencies.at(l)
    if (frequencies) rotate(x, frequencies, this.#position, layer[name].outputs, part)
    this.#report(name, l, x)
    return x
  }

  /** What a single product makes, normed where it has a norm of its own. */
  #ownNorm(x: Floats, norm: LearnedNorm | undefined, l: number, name: OwnNormed): Floats {
    if (!norm) return x
    this.#report(`${name}-input`, l, x)
    return this.#normalised(x, norm, (_, meanSquare) => this.#report(`${name}-mean-square`, l, meanSquare))
  }

  /** What a block adds to the stream. */
  #added(x: Floats, d: Dense, norm: LearnedNorm | undefined, l: number, name: 'added' | 'fed'): Floats {
    const added = this.#ownNorm(this.#dense(x, d), norm, l, name)
    if (norm) this.#report(name, l, added)
    return added
  }

  #dense(x: Floats, d: Dense): Floats {
    return linear(x, this.#weights.matrix(d), d.outputs, this.#weights.bias(d))
  }

  #norm(x: Floats, norm: Norm, layer: number, place: NormPlace): Floats {
    const tap = (normalised: Floats, meanSquare: Floats): void => {
      this.#report(`${place}-normalised`, layer, normalised)
      this.#report(`${place}-mean-square`, layer, meanSquare)
    }
    this.#report(`${place}-input`, layer, x)
    const out = this.#normalised(x, norm, tap)
    if (this.#graph.skip === 'normalised') this.#report(`${place}-stream`, layer, out)
    return out
  }

  /** Rows of which nothing is carried on with are copied: a layer writes to what a norm returns. */
  #normalised(x: Floats, norm: Norm, tap?: (normalised: Floats, meanSquare: Floats) => void): Floats {
    const { eps, dim } = this.config
    if (norm.kind === 'none') return x.slice()
    if (norm.kind === 'unit') return rmsNorm(x, new Float32Array(dim).fill(1), eps, tap)
    const gain = this.#weights.gain(norm)
    return norm.kind === 'rms'
      ? rmsNorm(x, gain, eps, tap)
      : layerNorm(x, gain, norm.shift === undefined ? undefined : this.#weights.tensor(norm.shift), eps, tap)
  }

  #report(name: TapName, layer: number, values: Floats): void {
    this.#tap?.(name, layer, Float64Array.from(values))
  }
}

/** The mean [width] of the rows that the mask keeps. */
function mean(x: Floats, width: number, mask?: ArrayLike<number>): Floats {
  const out = zerosLike(x, width)
  const n = x.length / width
  const rows = Array.from({ length: n }, (_, row) => row).filter((row) => mask?.[row] !== 0)
  for (const row of rows) for (let i = 0; i < width; i++) out[i] += x[row * width + i] / rows.length
  return out
}

/** Some of the `n` rows of x. */
function pick(x: Floats, rows: readonly number[], n: number): Floats {
  const width = x.length / n
  const out = zerosLike(x, rows.length * width)
  rows.forEach((row, at) => {
    out.set(x.subarray(row * width, (row + 1) * width), at * width)
  })
  return out
}

function checkType({ types = 1 }: ModelConfig, type: number): void {
  if (!(type >= 0 && type < types))
    throw new RangeError(`Token type ${type} is outside the table of ${types}.`)
}
