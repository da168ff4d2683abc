/** What an owner looks up in the public tensors of a model. */
import { embeddingWidth, type ModelConfig, type Tensors } from './architectures/config.ts'
import type { LearnedNorm, Norm, Table } from './graph/graph.ts'
import { graphOf } from './graph/graph-of.ts'
import { gainOf } from './graph/weights.ts'
import { rmsNorm } from './norm.ts'

/** Where a token stands in the embedding's tables. */
export type Place = Readonly<Record<Table['by'], number>>

/** The embedding of a model whose embedding is public. */
export class PublicTables {
  readonly #dim: number
  readonly #width: number
  readonly #eps: number
  readonly #tables: readonly Table[]
  readonly #tensors: Tensors

  constructor(config: ModelConfig, tensors: Tensors) {
    this.#dim = config.dim
    this.#width = embeddingWidth(config)
    this.#eps = config.eps
    this.#tables = graphOf(config).tables
    this.#tensors = tensors
  }

  /** A tensor's data. Throws when it is not among the public ones. */
  get(name: string): Float32Array {
    const tensor = this.#tensors.get(name)
    if (!tensor) throw new Error(`The public part of the model lacks '${name}'.`)
    return tensor.data
  }

  /** What a LayerNorm has learned. Throws for another one. */
  normOf(norm: Norm): { gain: Float32Array; shift?: Float32Array } {
    if (norm.kind !== 'layer') throw new Error('The norm of the embedding is no LayerNorm.')
    return { gain: this.get(norm.gain), shift: this.#shiftOf(norm) }
  }

  #shiftOf(norm: LearnedNorm): Float32Array | undefined {
    return norm.kind === 'layer' && norm.shift !== undefined ? this.get(norm.shift) : undefined
  }

  /** The tables' rows of each token, summed: [places x width of the tables]. */
  sums(places: readonly Place[]): Float64Array {
    const tables = this.#tables.map((table) => ({ ...table, data: this.get(table.tensor) }))
    const width = this.#width
    const out = new Float64Array(places.length * width)
    places.forEach((place, r) => {
      const row = out.subarray(r * width, (r + 1) * width)
      for (const { by, offset, data, scale = 1 } of tables) {
        const at = (place[by] + offset) * width
        for (let i = 0; i < width; i++) row[i] += scale * data[at + i]
      }
    })
    return out
  }

  /** Which rows of the tables places take, as ones among zeros, [places x width]: the tables' rows stand behind one another. */
  oneHots(places: readonly Place[], width: number): Float64Array {
    const out = new Float64Array(places.length * width)
    places.forEach((place, r) => {
      let from = r * width
      for (const { by, offset, rows } of this.#tables) {
        out[from + offset + place[by]] = 1
        from += rows
      }
    })
    return out
  }

  /**
   * A norm's gain and shift on normalised rows [n x dim]. A norm of neither normalises them, which those that are do not
   * notice: where a norm has no secrets, rows may come before it.
   */
  scaled(rows: Float64Array, norm: Norm): Float64Array {
    if (norm.kind === 'none') return rows
    if (norm.kind === 'unit') return rmsNorm(rows, new Float32Array(this.#dim).fill(1), this.#eps)
    const gain = gainOf(norm, this.get(norm.gain))
    const shift = this.#shiftOf(norm)
    return rows.map((v, at) => v * gain[at % this.#dim] + (shift?.[at % this.#dim] ?? 0))
  }
}
