import { patchCount, patchSize, type TowerConfig, type TowerForm } from '../../src/model/pictures/tower.ts'
import { activate } from '../onnx/activation.ts'
import { attention } from '../onnx/attention.ts'
import { dense } from '../onnx/dense.ts'
import { add, joinHeads, reshape, splitHeads } from '../onnx/layers.ts'
import { layerNorm } from '../onnx/norm.ts'
import type { Parameters } from '../onnx/parameters.ts'
import { firstRows } from '../onnx/select.ts'
import type { Tape, Value } from '../onnx/tape.ts'

/** An encoder of pictures on a tape. */
export class TowerTape {
  readonly #t: Tape
  readonly #parameters: Parameters
  readonly #c: TowerConfig
  readonly #form: TowerForm
  readonly #weights: ReadonlyMap<string, Value>

  constructor(
    t: Tape,
    parameters: Parameters,
    config: TowerConfig,
    form: TowerForm,
    weights: ReadonlyMap<string, Value>,
  ) {
    this.#t = t
    this.#parameters = parameters
    this.#c = config
    this.#form = form
    this.#weights = weights
  }

  /**
   * Rows after `layers` layers, the class's first: patches `[examples * patches, pixels]` ->
   * `[examples * (patches + 1), dim]`.
   */
  rows(patches: Value, examples: number, layers = this.#c.layers): Value {
    const { firstNorm } = this.#form
    let x = this.#placed(this.#patchRows(patches), examples)
    if (firstNorm) x = this.norm(x, firstNorm)
    for (let l = 0; l < layers; l++) x = this.#layer(x, l, examples)
    return x
  }

  /** The class's row of each example after all layers, `[examples, dim]`: of the last one nothing else is computed. */
  classRows(patches: Value, examples: number): Value {
    const last = this.#c.layers - 1
    return this.#layer(this.rows(patches, examples, last), last, examples, true)
  }

  #layer(x: Value, number: number, examples: number, isFirstOnly = false): Value {
    const { before, qkv, output, after, up, down } = this.#form.layer(number)
    const some = (rows: Value): Value => (isFirstOnly ? firstRows(this.#t, rows, examples) : rows)
    const n = this.norm(x, before)
    const mixed = this.#attend(some(n), n, qkv, examples)
    const y = add(this.#t, some(x), this.dense(mixed, output))
    const inner = activate(this.#t, this.dense(this.norm(y, after), up), this.#c.activation)
    return add(this.#t, y, this.dense(inner, down))
  }

  /** x W' + b of the layer `name`. */
  dense(x: Value, name: string): Value {
    return dense(this.#t, this.#parameters, x, {
      weight: this.#weight(`${name}.weight`),
      bias: this.#weights.get(`${name}.bias`),
    })
  }

  /** LayerNorm `name` of rows. */
  norm(x: Value, name: string): Value {
    const [gain, shift] = ['weight', 'bias'].map((part) => this.#weight(`${name}.${part}`))
    return layerNorm(this.#t, this.#parameters, x, gain, shift, this.#c.eps)
  }

  #patchRows(patches: Value): Value {
    const { patches: name, hasPatchBias } = this.#form
    const kernel = this.#weight(`${name}.weight`)
    const weight = reshape(this.#t, kernel, [this.#c.dim, patchSize(this.#c)])
    const bias = hasPatchBias ? this.#weight(`${name}.bias`) : undefined
    return dense(this.#t, this.#parameters, patches, { weight, bias })
  }

  /** The class's row before the patches' rows of each example, and the positions added. */
  #placed(patches: Value, examples: number): Value {
    const t = this.#t
    const { dim } = this.#c
    const [length, rows] = [patchCount(this.#c), patchCount(this.#c) + 1]
    const [classRow, positions] = [this.#form.classRow, this.#form.positions].map((name) =>
      this.#weight(name),
    )
    const one = t.reshape(classRow, [1, 1, dim])
    const first = t.op('Expand', [one, t.integers(examples, 1, dim)], [examples, 1, dim])
    const each = t.reshape(patches, [examples, length, dim])
    const joined = t.op('Concat', [first, each], [examples, rows, dim], { axis: 1 })
    const placed = t.map('Add', joined, t.reshape(positions, [1, rows, dim]))
    return t.derivative(t.reshape(placed, [examples * rows, dim]), (dy) => {
      const dx = t.reshape(dy, [examples, rows, dim])
      const dp = t.sumFirst(dx)
      const slice = (x: Value, from: number, to: number, axis: number, shape: number[]): Value =>
        t.op('Slice', [x, t.integers(from), t.integers(to), t.integers(axis)], shape)
      t.accumulate(positions, t.reshape(dp, positions.shape))
      t.accumulate(classRow, t.reshape(slice(dp, 0, 1, 0, [1, dim]), classRow.shape))
      t.accumulate(patches, t.reshape(slice(dx, 1, rows, 1, [examples, length, dim]), patches.shape))
    })
  }

  #attend(asking: Value, asked: Value, [query, key, value]: readonly string[], examples: number): Value {
    const t = this.#t
    const { heads, dim } = this.#c
    const split = (x: Value, name: string): Value =>
      splitHeads(t, this.dense(x, name), examples, x.shape[0] / examples, heads)
    const [q, k, v] = [split(asking, query), split(asked, key), split(asked, value)]
    return joinHeads(t, attention(t, { scale: Math.sqrt(heads / dim) }, q, k, v))
  }

  #weight(name: string): Value {
    const value = this.#weights.get(name)
    if (!value) throw new Error(`The model has no tensor "${name}".`)
    return value
  }
}
