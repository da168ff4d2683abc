/** From a configuration to its graph. */
import type { Architecture, Norms } from '../architectures/architecture.ts'
import {
  type EncoderHead,
  embeddingWidth,
  headDim,
  type ModelConfig,
  queryWidth,
} from '../architectures/config.ts'
import { architectureOf } from '../architectures/registry.ts'
import type { Dense, Head, Layer, LearnedNorm, ModelGraph, Norm, Table, Transform } from './graph.ts'

const known = new WeakMap<ModelConfig, ModelGraph>()

/** The graph of a configuration, made once for each; configurations do not change. Throws for an unknown architecture. */
export function graphOf(config: ModelConfig): ModelGraph {
  const graph = known.get(config) ?? new Builder(config).graph()
  known.set(config, graph)
  return graph
}

/** Whether a model goes on with a text, token by token; one that does not reads whole texts. */
export const continuesText = (config: ModelConfig): boolean => graphOf(config).attention === 'causal'

/** Whether vectors are made of a model's hidden states: an encoder without a head. */
export const isEmbedder = ({ config }: { config: ModelConfig }): boolean =>
  !continuesText(config) && config.head === undefined

type GainNorms = Extract<Norms, { placement: 'pre' | 'post' }>

const hasGains = (norms: Norms): norms is GainNorms => norms.placement === 'pre' || norms.placement === 'post'

const isCarried = ({ placement }: Norms): boolean => placement === 'post' || placement === 'fused'

/** Reads an architecture's names into a graph. */
class Builder {
  readonly #c: ModelConfig
  readonly #a: Architecture

  constructor(config: ModelConfig) {
    this.#c = config
    this.#a = architectureOf(config)
  }

  graph(): ModelGraph {
    const { tensors, ...form } = this.#a
    return {
      attention: form.attention,
      skip: isCarried(tensors.norms) ? 'normalised' : 'stream',
      norm: form.norm,
      isParallel: tensors.norms.placement === 'shared',
      embeddingNorm: this.#embeddingNorm(),
      ...this.#projection(),
      scores: form.scores,
      isRotary: form.positions === 'rotary',
      isAlibi: form.positions === 'alibi',
      isGated: tensors.feedForward.length === 2,
      activation: this.#c.activation,
      tables: this.#tables(),
      layers: Array.from({ length: this.#c.layers }, (_, l) => this.#layer(l)),
      finalNorm: this.#finalNorm(),
      head: this.#head(),
    }
  }

  #tables(): Table[] {
    const { vocab, context, positionOffset = 0, types = 1 } = this.#c
    const { token, position, type } = this.#a.tensors.tables
    const scale = this.#a.isEmbeddingScaled ? { scale: Math.sqrt(this.#c.dim) } : {}
    const tables: Table[] = [{ tensor: token, by: 'token', rows: vocab, offset: 0, ...scale }]
    if (position)
      tables.push({
        tensor: position,
        by: 'position',
        rows: context + positionOffset,
        offset: positionOffset,
      })
    if (type) tables.push({ tensor: type, by: 'type', rows: types, offset: 0 })
    return tables
  }

  #layer(l: number): Layer {
    const c = this.#c
    const { tensors, biases } = this.#a
    const inner = (name: string, inputs: number, outputs: number, hasBias = biases === 'all'): Dense =>
      this.#dense(this.#within(l, name), inputs, outputs, hasBias)
    const widths = [queryWidth(c), c.kvHeads * headDim(c), c.kvHeads * headDim(c)]
    const [query, key, value] = this.#beside(l, tensors.qkv, widths, biases !== 'none')
    const gated = tensors.feedForward.map(() => c.ff)
    const [gate, up] = this.#beside(l, tensors.feedForward, gated, biases === 'all')
    return {
      attentionNorm: this.#attentionNorm(l),
      query,
      key,
      value,
      ...this.#ownNorms(l),
      attentionOutput: inner(
        tensors.attentionOutput,
        queryWidth(c),
        c.dim,
        biases === 'all' || biases === 'attention',
      ),
      feedForwardNorm: this.#feedForwardNorm(l),
      gate,
      ...(up ? { up } : {}),
      down: inner(tensors.feedForwardOutput, c.ff, c.dim),
    }
  }

  /** Matrices that read the same rows: each of a name has a tensor of its own, those of one name lie in one behind one another. */
  #beside(l: number, names: readonly string[], widths: readonly number[], hasBias: boolean): Dense[] {
    const isOne = new Set(names).size === 1 && widths.length > 1
    const of = widths.reduce((sum, width) => sum + width, 0)
    let from = 0
    return widths.map((width, i) => {
      const dense = this.#dense(this.#within(l, names[isOne ? 0 : i]), this.#c.dim, width, hasBias)
      if (!isOne) return dense
      from += width
      return { ...dense, part: { from: from - width, of } }
    })
  }

  /** The norm before layer l's attention; at the number of layers, the final one. */
  #attentionNorm(l: number): Norm {
    const { norms } = this.#a.tensors
    if (!hasGains(norms)) return { kind: norms.placement === 'shared' ? 'unit' : 'none' }
    if (norms.placement === 'pre') {
      if (l === 0 && norms.embedding !== undefined) return { kind: 'none' }
      return this.#norm(l === this.#c.layers ? norms.final : this.#within(l, norms.attention))
    }
    if (l > 0) return this.#norm(this.#within(l - 1, norms.feedForward))
    return this.#isNarrow ? { kind: 'none' } : this.#norm(norms.embedding)
  }

  get #isNarrow(): boolean {
    return this.#c.embedding !== undefined
  }

  /** Behind each block (BERT) it is the first layer's own, unless a matrix stands between the two. */
  #embeddingNorm(): Norm {
    const { norms } = this.#a.tensors
    if (!hasGains(norms)) return { kind: 'unit' }
    const isOwn = norms.placement === 'pre' || this.#isNarrow
    return isOwn && norms.embedding !== undefined ? this.#norm(norms.embedding) : { kind: 'none' }
  }

  #projection(): { projection?: Dense } {
    if (!this.#isNarrow) return {}
    const { projection } = this.#a.tensors
    if (!projection) throw new Error(`The form "${this.#a.name}" has no matrix that widens an embedding.`)
    return { projection: this.#dense(projection, embeddingWidth(this.#c), this.#c.dim, true) }
  }

  #feedForwardNorm(l: number): Norm {
    const { norms } = this.#a.tensors
    if (!hasGains(norms)) return { kind: norms.placement === 'shared' ? 'none' : 'unit' }
    return this.#norm(this.#within(l, norms.placement === 'pre' ? norms.feedForward : norms.attention))
  }

  /** A classifier reads the rows of a fused form as the last layer leaves them. */
  #finalNorm(): Norm {
    if (this.#a.tensors.norms.placement !== 'fused') return this.#attentionNorm(this.#c.layers)
    return { kind: this.#c.head?.kind === 'classify' ? 'none' : 'unit' }
  }

  /** Norms of single products, in models that have them: of the heads of queries and keys, and of what blocks add. */
  #ownNorms(l: number): Pick<Layer, 'queryNorm' | 'keyNorm' | 'attentionOutputNorm' | 'downNorm'> {
    const { headNorms: [query, key] = [], norms } = this.#a.tensors
    const pre = norms.placement === 'pre' ? norms : undefined
    const named = {
      queryNorm: query,
      keyNorm: key,
      attentionOutputNorm: pre?.attentionOutput,
      downNorm: pre?.feedForwardOutput,
    }
    return Object.fromEntries(
      Object.entries(named).flatMap(([norm, name]) =>
        name ? [[norm, this.#norm(this.#within(l, name))]] : [],
      ),
    )
  }

  #head(): Head {
    const { dim, vocab, head, tied } = this.#c
    const { tables, head: names } = this.#a.tensors
    const complete = (name: string | undefined): string => {
      if (name === undefined) throw new Error(`Models of form "${this.#a.name}" have no such head.`)
      return name
    }
    const tokens: Dense = {
      weight: tied ? tables.token : names.decoder,
      bias: names.decoderBias,
      inputs: dim,
      outputs: vocab,
      layout: 'out-in',
    }
    if (this.#a.attention === 'causal') return { kind: 'tokens', output: tokens }
    if (!head) return { kind: 'none' }
    const labels = (name: string | undefined): Dense => {
      if (head.kind === 'mlm') throw new Error('A masked language model has no labels.')
      return this.#dense(complete(name), dim, head.labels.length, true)
    }
    const transform = this.#transform(head.kind)
    if (head.kind === 'tag')
      return { kind: 'tags', ...(transform ? { transform } : {}), output: labels(names.tagger) }
    if (head.kind === 'mlm') {
      if (!transform) throw new Error(`Models of form "${this.#a.name}" have no such head.`)
      return { kind: 'tokens', transform, output: tokens }
    }
    const { common } = names
    const pool = common ? transform?.dense : names.pool && this.#dense(names.pool, dim, dim, true)
    return {
      kind: 'labels',
      reads: head.pooling ?? 'first',
      ...(pool ? { pool } : {}),
      poolActivation: names.poolActivation ?? 'tanh',
      ...(common ? { poolNorm: this.#norm(common.norm) } : {}),
      output: labels(names.classifier),
    }
  }

  /** What every row goes through before a head's output matrix, where it does. */
  #transform(head: EncoderHead['kind']): Transform | undefined {
    const { common, transform, transformNorm } = this.#a.tensors.head
    const { dim } = this.#c
    if (common) return { dense: this.#dense(common.dense, dim, dim, false), norm: this.#norm(common.norm) }
    if (head !== 'mlm' || transform === undefined || transformNorm === undefined) return undefined
    return { dense: this.#dense(transform, dim, dim, true), norm: this.#norm(transformNorm) }
  }

  #within(l: number, name: string): string {
    const { layers, isShared } = this.#a.tensors
    return `${layers}.${isShared ? 0 : l}.${name}`
  }

  #norm(name: string): LearnedNorm {
    const gain = `${name}.weight`
    const { gainOffset: offset } = this.#a
    if (this.#a.norm === 'rms') return { kind: 'rms', gain, ...(offset ? { offset } : {}) }
    return { kind: 'layer', gain, ...(this.#a.isUnshifted ? {} : { shift: `${name}.bias` }) }
  }

  #dense(name: string, inputs: number, outputs: number, hasBias: boolean): Dense {
    const bias = hasBias ? { bias: `${name}.bias` } : {}
    return { weight: `${name}.weight`, ...bias, inputs, outputs, layout: this.#a.layout }
  }
}
