/** The two ends of a model at the owner: tokens to the plan's input, the released row to logits. */
import type { ModelConfig, Tensors } from './architectures/config.ts'
import type { Head, ModelGraph } from './graph/graph.ts'
import { graphOf } from './graph/graph-of.ts'
import { softcap } from './math.ts'
import { rmsNorm } from './norm.ts'
import { PublicTables } from './public-tables.ts'

/** Who computes the ends of a model: the holder of its public tensors, in clear, or a protection. */
export interface EndPlan {
  /** Whether the protection computes this end: the owner then puts in one-hots, or is given logits. */
  isPrivate(end: 'embed' | 'head'): boolean
  /** Numbers that a row of the protection's input has. */
  readonly inputWidth: number
}

/** Public ends are computed here, in clear; private ones by the plan, from one-hots and to logits. */
export class Ends {
  readonly #config: ModelConfig
  readonly #plan: EndPlan
  readonly #graph: ModelGraph
  readonly #tables: PublicTables

  /** Both ends are public unless `plan` says otherwise. Throws when a tensor that it needs is not among the public ones. */
  constructor(
    config: ModelConfig,
    tensors: Tensors,
    plan: EndPlan = { isPrivate: () => false, inputWidth: config.dim },
  ) {
    this.#config = config
    this.#plan = plan
    this.#graph = graphOf(config)
    this.#tables = new PublicTables(config, tensors)
    if (!plan.isPrivate('embed')) this.embed([], 0)
    if (!plan.isPrivate('head')) this.logits(new Float64Array(config.dim))
  }

  /** The plan's input [ids x inputWidth] for tokens at `base` and after. */
  embed(ids: readonly number[], base: number): Float64Array {
    const places = ids.map((token, r) => ({ token, position: base + r, type: 0 }))
    if (this.#plan.isPrivate('embed')) return this.#tables.oneHots(places, this.#plan.inputWidth)
    const rows = this.#tables.sums(places)
    const { dim, eps } = this.#config
    if (this.#graph.embeddingNorm.kind === 'unit') return rmsNorm(rows, new Float32Array(dim).fill(1), eps)
    return this.#graph.norm === 'layer' ? centred(rows, this.#config.dim) : rows
  }

  /** Logits [vocab] of what the plan released. */
  logits(released: Float64Array): Float32Array {
    return this.#uncapped(released).map((logit) => softcap(logit, this.#config.logitCap))
  }

  #uncapped(released: Float64Array): Float32Array {
    if (this.#plan.isPrivate('head')) return Float32Array.from(released)
    const { finalNorm, head } = this.#graph
    const h = Float32Array.from(this.#tables.scaled(released, finalNorm))
    return logitsOf(h, this.#tables.get(outputOf(head)), this.#config.vocab)
  }
}

function outputOf(head: Head): string {
  if (head.kind !== 'tokens' || head.transform) throw new Error('The model does not continue a text.')
  return head.output.weight
}

/** h times the rows of a matrix [vocab x dim]. */
function logitsOf(h: Float32Array, matrix: Float32Array, vocab: number): Float32Array {
  const dim = h.length
  const out = new Float32Array(vocab)
  for (let id = 0, at = 0; id < vocab; id++, at += dim) {
    // Four sums at a time: one alone waits for its own last addition.
    let [s0, s1, s2, s3] = [0, 0, 0, 0]
    let i = 0
    for (; i + 3 < dim; i += 4) {
      s0 += matrix[at + i] * h[i]
      s1 += matrix[at + i + 1] * h[i + 1]
      s2 += matrix[at + i + 2] * h[i + 2]
      s3 += matrix[at + i + 3] * h[i + 3]
    }
    for (; i < dim; i++) s0 += matrix[at + i] * h[i]
    out[id] = s0 + s1 + s2 + s3
  }
  return out
}

/** Takes the mean off every row, in place: the residual stream of a LayerNorm model is centred. */
function centred(rows: Float64Array, width: number): Float64Array {
  for (let at = 0; at < rows.length; at += width) {
    const row = rows.subarray(at, at + width)
    let mean = 0
    for (const value of row) mean += value / width
    for (let i = 0; i < width; i++) row[i] -= mean
  }
  return rows
}
