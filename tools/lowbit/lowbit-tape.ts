import { alibi } from '../../src/model/alibi.ts'
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import type { Dense, Layer, ModelGraph } from '../../src/model/graph/graph.ts'
import { graphOf } from '../../src/model/graph/graph-of.ts'
import { tensorShapes } from '../../src/model/graph/tensors.ts'
import { dense, scaled } from '../onnx/dense.ts'
import * as layer from '../onnx/layers.ts'
import { unitNorm } from '../onnx/norm.ts'
import { summed } from '../onnx/parameters.ts'
import { firstRows } from '../onnx/select.ts'
import type { Tape, Value } from '../onnx/tape.ts'
import { gated, overRms } from './blocks.ts'
import { integerAttention, type ScoreMasks } from './integer-attention.ts'
import { type Precision, type Shifts, shiftsOf, type ValueKind } from './precision.ts'
import { penalise, penaliseRows, Rounding } from './rounding.ts'

/** How far padded tokens lie below others, in octaves: the owner lowers their scores. */
const SHADE = 26
/** Of what a ring holds, how much is used before the loss says so; and how loudly. */
const ROOM = 0.7
const PUSH = 1
/** Of the sum of a row's squares, whose largest are further from the rest than those of single values. */
const ROW_ROOM = 0.4

/**
 * A lowbit model on a tape, in the integers that the parties will compute with: weights are fed as integers (see
 * `weights.ts`), or as what they would be if nothing were rounded.
 */
export class LowbitTape {
  readonly tape: Tape
  readonly config: ModelConfig
  readonly graph: ModelGraph
  readonly weights = new Map<string, Value>()
  /** The sum of the embedding tables' rows, `[examples * length, dim]`. */
  readonly embedded: Value
  /** What is measured: values by kind, of every layer: in units, but scores in octaves. */
  readonly values: Record<ValueKind, Value[]> = { qk: [], v: [], g: [], y: [], squares: [], scores: [] }
  readonly #p: Precision
  readonly #s: Shifts
  readonly #rounding: Rounding
  readonly #size: readonly [examples: number, length: number]
  readonly #masks: ScoreMasks

  constructor(tape: Tape, config: ModelConfig, size: readonly [number, number], precision: Precision) {
    this.tape = tape
    this.config = config
    this.graph = graphOf(config)
    this.#p = precision
    this.#s = shiftsOf(precision, formOf(config))
    this.#size = size
    for (const [name, shape] of tensorShapes(config)) this.weights.set(name, tape.input(name, shape))
    const noise = precision.isRounded ? tape.input('noise', [noiseSize(config, size)]) : undefined
    this.#rounding = new Rounding(tape, noise)
    this.#masks = this.#masksOf(this.#masked())
    this.embedded = this.#embed()
  }

  /** Rows that the last layer leaves, in units of 2^-x, `[examples * length, dim]`; a decoder's are normalised. */
  hidden(): Value {
    const t = this.tape
    let x = this.#input()
    if (this.graph.skip === 'normalised') {
      for (const l of this.graph.layers) x = this.#fused(x, l)
      return x
    }
    let y = scaled(t, x, 4)
    this.graph.layers.forEach((l, i) => {
      if (i > 0) x = overRms(t, this.#rounding, this.#p, y, y, 'coarse')
      y = this.#parallel(y, x, l, i === this.graph.layers.length - 1)
    })
    // The last norm has no secrets: it is the owner's own, and exact.
    return overRms(t, new Rounding(t), this.#p, y, y, 'fine')
  }

  /** A classifier's logits `[examples, labels]`. */
  labelLogits(hidden: Value): Value {
    const { head } = this.graph
    if (head.kind !== 'labels') throw new Error('The model does not classify.')
    const first = firstRows(this.tape, hidden, this.#size[0])
    return scaled(this.tape, this.#dense(first, head.output), 2 ** -(this.#p.x + this.#p.weights.head))
  }

  /** Logits over the vocabulary, by the embedding itself, which is public. */
  tokenLogits(hidden: Value): Value {
    const { head } = this.graph
    if (head.kind !== 'tokens') throw new Error('The model does not predict tokens.')
    return this.#dense(scaled(this.tape, hidden, 2 ** -this.#p.x), head.output)
  }

  /**
   * Means of squares and largest sizes of what is measured, as outputs `mean KIND` and `most KIND`, `[values]`. A decoder of
   * one layer has no rows whose squares are summed: its only norm is the owner's.
   */
  measure(): void {
    const t = this.tape
    for (const [kind, values] of Object.entries(this.values)) {
      if (values.length === 0) continue
      const flat = values.map((v) => t.reshape(v, [1, v.shape.reduce((a, b) => a * b, 1)]))
      const all = (of: (v: Value) => Value): Value =>
        t.op('Concat', flat.map(of), [values.length, 1], { axis: 0 })
      t.output(
        `mean ${kind}`,
        all((v) => t.map('Mul', t.sumLast(t.map('Mul', v, v)), t.scalar(1 / v.shape[1]))),
      )
      t.output(
        `most ${kind}`,
        all((v) => t.op('ReduceMax', [kind === 'scores' ? v : t.map('Abs', v)], [1, 1], { axes: [-1] })),
      )
    }
  }

  /** Rows at a root mean square of one, to compare with those of another model. */
  unit(hidden: Value): Value {
    return unitNorm(this.tape, hidden, 1e-6)
  }

  #dense(x: Value, { weight, bias, layout }: Pick<Dense, 'weight' | 'bias' | 'layout'>): Value {
    const get = (name: string): Value => this.weights.get(name)!
    return dense(this.tape, summed(this.tape), x, {
      weight: get(weight),
      layout,
      bias: bias === undefined ? undefined : get(bias),
    })
  }

  #embed(): Value {
    const t = this.tape
    const [examples, length] = this.#size
    const n = examples * length
    const ids = t.input('ids', [n], 'int64')
    const types = this.graph.tables.some(({ by }) => by === 'type')
      ? t.input('types', [n], 'int64')
      : undefined
    const places = t.constant(
      BigInt64Array.from({ length: n }, (_, i) => BigInt(i % length)),
      [n],
    )
    const index = { token: ids, position: places, type: types ?? places }
    return this.graph.tables
      .map(({ tensor, by }) =>
        t.op('Gather', [this.weights.get(tensor)!, index[by]], [n, this.config.dim], { axis: 0 }),
      )
      .reduce((sum, row) => t.map('Add', sum, row))
  }

  /** What the owner puts in: rounded to the nearest, and clipped at four times the expected size. */
  #input(): Value {
    const t = this.tape
    const x = scaled(t, unitNorm(t, this.embedded, this.config.eps), 2 ** this.#p.x)
    if (!this.#rounding.isOn) return x
    const limit = 4 * 2 ** this.#p.x
    const nearest = t.map('Floor', t.map('Add', x, t.scalar(0.5)))
    const clipped = t.map('Min', t.map('Max', nearest, t.scalar(-limit)), t.scalar(limit - 1))
    return t.derivative(clipped, (dy) => t.accumulate(x, dy))
  }

  /** y = x + attention; x' = (y + feed-forward(y)) / rms(y), the block on rows that are not normalised yet. */
  #fused(x: Value, l: Layer): Value {
    const t = this.tape
    const sum = layer.add(t, scaled(t, x, 4), this.#attend(x, l))
    const y = this.#squared(this.#held('y', sum, this.#p.rings.y - 2))
    const out = layer.add(t, y, this.#feed(y, l))
    return overRms(t, this.#rounding, this.#p, y, out, 'fine')
  }

  /** y + attention(n) + feed-forward(n). */
  #parallel(y: Value, n: Value, l: Layer, isLast: boolean): Value {
    const both = layer.add(this.tape, this.#attend(n, l), this.#feed(n, l))
    const sum = layer.add(this.tape, y, both)
    const bits = this.#p.rings.y - 2
    // The last norm is the owner's.
    if (isLast) return this.#held('y', sum, bits)
    // Rows of much the same size in all layers, from the first stage on: the coarse table has room for few.
    return this.#squared(
      this.#held('y', penaliseRows(this.tape, sum, ROW_ROOM * 2 ** this.#p.rings.sq, PUSH), bits),
    )
  }

  #attend(x: Value, l: Layer): Value {
    const t = this.tape
    const { heads, kvHeads } = this.config
    const [examples, length] = this.#size
    const { tq, tv, tw } = this.#s
    const part = (d: Dense, bits: number): Value => this.#rounding.drop(this.#dense(x, d), bits)
    const split = (v: Value, count: number): Value => layer.splitHeads(t, v, examples, length, count)
    const [flatQ, flatK] = [part(l.query, tq), part(l.key, tq)]
    this.values.qk.push(flatQ, flatK)
    const q = split(flatQ, heads)
    const k = split(flatK, kvHeads)
    const v = split(this.#held('v', part(l.value, tv), this.#p.rings.v), kvHeads)
    const grouped = layer.reshape(t, q, [examples, kvHeads, (heads / kvHeads) * length, q.shape[3]])
    const mixed = integerAttention(
      t,
      this.#rounding,
      this.#p,
      this.#s,
      [grouped, k, v],
      this.#masks,
      this.values.scores,
    )
    const joined = layer.joinHeads(t, layer.reshape(t, mixed, q.shape))
    return this.#rounding.drop(this.#dense(joined, l.attentionOutput), tw)
  }

  #feed(x: Value, l: Layer): Value {
    const t = this.tape
    const first = (d: Dense): Value =>
      this.#held('g', this.#rounding.drop(this.#dense(x, d), this.#s.tg), this.#p.rings.g - 2)
    const g = first(l.gate)
    const h = l.up
      ? this.#rounding.drop(layer.multiply(t, g, first(l.up)), this.#p.th)
      : gated(t, this.#rounding, this.#p, g)
    return this.#rounding.drop(this.#dense(h, l.down), this.#s.t2)
  }

  #held(kind: 'v' | 'g' | 'y', x: Value, bits: number): Value {
    const t = this.tape
    this.values[kind].push(x)
    return this.#rounding.isOn ? penalise(t, x, ROOM * 2 ** bits, PUSH) : x
  }

  /** Rows whose squares are summed for a norm. */
  #squared(y: Value): Value {
    this.values.squares.push(this.tape.sumLast(this.tape.map('Mul', y, y)))
    return y
  }

  /** Of whole texts, rows of padding are unseen as well as columns: there are none where a text is computed privately. */
  #masksOf(mask: Value): ScoreMasks {
    const t = this.tape
    // What only falls with the distance is seen.
    const beyond = t.map('Mul', t.map('Add', mask, t.scalar(SHADE - 1)), t.scalar(1000))
    const unseen = t.map('Min', beyond, t.scalar(0))
    if (this.graph.attention === 'causal') return { mask, unseen }
    const [examples, length] = this.#size
    const rows = t.transpose(unseen, [0, 1, 3, 2])
    return { mask, unseen: t.op('Add', [unseen, rows], [examples, 1, length, length]) }
  }

  /** In octaves. */
  #masked(): Value {
    const t = this.tape
    const [examples, length] = this.#size
    const { heads, kvHeads } = this.config
    if (this.graph.attention === 'bidirectional')
      return t.map('Max', t.input('mask', [examples, 1, 1, length]), t.scalar(-SHADE))
    const data = Float32Array.from({ length: heads * length * length }, (_, at) => {
      const distance = (Math.floor(at / length) % length) - (at % length)
      if (distance < 0) return -1e9
      return -Math.round(32 * alibi(Math.floor(at / (length * length)), heads, distance)) / 32
    })
    return t.constant(data, [kvHeads, (heads / kvHeads) * length, length])
  }
}

/** What the scales of a form depend on. */
export const formOf = (config: ModelConfig): { isGated: boolean; readsResidual: boolean } => {
  const { isGated, skip } = graphOf(config)
  return { isGated, readsResidual: skip === 'normalised' }
}

/** Numbers of noise that a batch takes: as many as its largest tensor has, and some to begin elsewhere. */
export const noiseSize = (c: ModelConfig, [examples, length]: readonly [number, number]): number =>
  examples * length * Math.max(c.ff, c.dim, c.heads * length) + 65_536
