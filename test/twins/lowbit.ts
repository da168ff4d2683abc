/**
 * The integer graphs of lowbit models, written once more: every value a whole number, every rounding to the nearest. What
 * the parties compute is this with roundings at random.
 */
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import type { Precision } from '../../tools/lowbit/precision.ts'
import { plus, rowOf, times, unit, type Vector } from './formulas.ts'

const nearest = (x: number): number => Math.floor(x + 0.5)
const drop = (xs: Vector, bits: number): Vector => xs.map((x) => nearest(x / 2 ** bits))

class Layers {
  readonly #c: ModelConfig
  readonly #ints: Tensors
  readonly #p: Precision

  constructor(c: ModelConfig, ints: Tensors, p: Precision) {
    this.#c = c
    this.#ints = ints
    this.#p = p
  }

  get(name: string): Float32Array {
    return this.#ints.get(name)!.data
  }

  dense(x: Vector, name: string, bits: number): Vector {
    const y = times(this.get(`${name}.weight`), x)
    const bias = this.#ints.get(`${name}.bias`)
    return drop(bias ? plus(y, [...bias.data]) : y, bits)
  }

  input(embedded: Vector): Vector {
    const limit = 4 * 2 ** this.#p.x
    return unit(embedded, this.#c.eps).map((v) =>
      Math.min(limit - 1, Math.max(-limit, nearest(v * 2 ** this.#p.x))),
    )
  }

  /** Mixed values in half units; `lowered` says in 1/32 octaves how far a score of a head is below what it says. */
  attend(
    q: Vector,
    keys: Vector[],
    values: Vector[],
    lowered: (head: number, key: number) => number,
  ): Vector {
    const { dim, heads, kvHeads } = this.#c
    const { cap, qk, rings } = this.#p
    const width = dim / heads
    return Array.from({ length: heads }, (_, head) => {
      const from = Math.floor((head * kvHeads) / heads) * width
      const weights = keys.map((k, at) => {
        let score = 0
        for (let i = 0; i < width; i++) score += q[head * width + i] * k[from + i]
        const octaves = Math.min(cap - 1, nearest((score / 4 ** qk) * 32) / 32 - lowered(head, at) / 32)
        return nearest(2 ** (octaves - cap + 9))
      })
      const sum = nearest(weights.reduce((a, b) => a + b) / 16)
      const inverse = Math.min(2 ** 14 - 1, nearest(2 ** 14 / Math.max(1, sum)))
      return Array.from({ length: width }, (_, i) => {
        const mixed = weights.reduce((total, w, at) => total + w * values[at][from + i], 0)
        return nearest((nearest(mixed / 2 ** rings.v) * inverse) / 2 ** (17 - rings.v))
      })
    }).flat()
  }

  /** 2^8 over the root mean square of y, in units; `within` is where in its interval the sum is found, of a coarse table. */
  inverseRms(y: Vector, entries?: number): number {
    const { x, rings } = this.#p
    const dropped = 2 ** (rings.sq - 9)
    let s = nearest(y.reduce((total, v) => total + v * v, 0) / dropped)
    if (entries) s += 2 ** 9 / entries / 2 - Math.floor(2 ** 9 / entries / 2)
    const least = Math.ceil((y.length * 4 ** x) / dropped)
    return Math.round(2 ** (8 + x) * Math.sqrt(y.length / (Math.max(least, s) * dropped)))
  }
}

export interface PaddedText {
  ids: number[]
  types?: number[]
  /** Padded to so many tokens, of id 0. */
  length: number
}

/** Logits of the labels. */
export function lowbitEncoder(c: ModelConfig, ints: Tensors, p: Precision, text: PaddedText): Vector {
  const m = new Layers(c, ints, p)
  const { x: fx, weights: w, rings } = p
  const [fa, fy] = [p.v + 1, fx + 2]
  let xs = Array.from({ length: text.length }, (_, t) => {
    const row = (name: string, i: number): Vector =>
      rowOf(m.get(`bert.embeddings.${name}_embeddings.weight`), c.dim, i)
    const words = plus(row('word', text.ids[t] ?? 0), row('position', t))
    return m.input(plus(words, row('token_type', text.types?.[t] ?? 0)))
  })
  for (let l = 0; l < c.layers; l++) {
    const at = `bert.encoder.layer.${l}.`
    const project = (name: string, bits: number): Vector[] =>
      xs.map((x) => m.dense(x, `${at}attention.self.${name}`, bits))
    const [qs, ks] = ['query', 'key'].map((name) => project(name, fx + w.qk - p.qk))
    const vs = project('value', fx + w.v - p.v)
    xs = xs.map((x, t) => {
      const mixed = m.attend(qs[t], ks, vs, (_, key) => (key < text.ids.length ? 0 : 26 * 32))
      const y = plus(
        x.map((v) => 4 * v),
        m.dense(mixed, `${at}attention.output.dense`, fa + w.out - fy),
      )
      const width = 2 ** (rings.g - 6)
      const h = m
        .dense(y, `${at}intermediate.dense`, fy + w.up - p.g)
        .map((g) => (g - Math.floor(width / 2) + width / 2 >= 0 ? g : 0))
      const out = plus(y, m.dense(h, `${at}output.dense`, p.g + w.down - fy))
      const inverse = m.inverseRms(y)
      return out.map((v) => nearest((v * inverse) / 2 ** 8))
    })
  }
  return m.dense(xs[0], 'classifier', 0).map((v) => v / 2 ** (fx + w.head))
}

/** Logits behind each token, one after another. */
export function lowbitDecoder(c: ModelConfig, ints: Tensors, p: Precision, ids: readonly number[]): Vector {
  const m = new Layers(c, ints, p)
  const { x: fx, weights: w } = p
  const [fa, fy, fh] = [p.v + 1, fx + 2, 2 * p.g - p.th]
  const embedding = m.get('model.embed_tokens.weight')
  const keys = Array.from({ length: c.layers }, (): Vector[] => [])
  const values = Array.from({ length: c.layers }, (): Vector[] => [])
  return ids.flatMap((id, own) => {
    let n = m.input(rowOf(embedding, c.dim, id))
    let y = n.map((v) => 4 * v)
    for (let l = 0; l < c.layers; l++) {
      const at = `model.layers.${l}.`
      if (l > 0) {
        const inverse = m.inverseRms(y, 16)
        n = y.map((v) => nearest((v * inverse) / 2 ** 8))
      }
      const project = (name: string, bits: number): Vector => m.dense(n, `${at}${name}_proj`, bits)
      const q = project('self_attn.q', fx + w.qk - p.qk)
      keys[l].push(project('self_attn.k', fx + w.qk - p.qk))
      values[l].push(project('self_attn.v', fx + w.v - p.v))
      const mixed = m.attend(q, keys[l], values[l], (head, key) =>
        Math.round(32 * Math.min(24, (own - key) * 2 ** (1 - (8 * (head + 1)) / c.heads))),
      )
      const [g, u] = ['mlp.gate', 'mlp.up'].map((name) => project(name, fx + w.up - p.g))
      const h = drop(
        g.map((v, i) => v * u[i]),
        p.th,
      )
      const both = plus(
        m.dense(mixed, `${at}self_attn.o_proj`, fa + w.out - fy),
        m.dense(h, `${at}mlp.down_proj`, fh + w.down - fy),
      )
      y = plus(y, both)
    }
    return times(embedding, unit(y, 0))
  })
}
