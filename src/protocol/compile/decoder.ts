/** Compiles a decoder to a plan of the `fixed` profile. */
import { headDim, type ModelConfig } from '../../model/config.ts'
import { activate } from '../ops/activate.ts'
import { mix, scores } from '../ops/attention.ts'
import { blind, blindLifted } from '../ops/blind.ts'
import { exponential } from '../ops/exponential.ts'
import { input } from '../ops/input.ts'
import { inverse, inverseLevels, timesInverse } from '../ops/inverse.ts'
import { lift } from '../ops/lift.ts'
import { linearPrivate, linearPublic, type WeightRef } from '../ops/linear.ts'
import { add, addConstant, bias, lastRow, rotate, slice, sumPositions } from '../ops/local.ts'
import { open } from '../ops/open.ts'
import { product } from '../ops/product.ts'
import { release } from '../ops/release.ts'
import { sumSquares } from '../ops/square.ts'
import { belowCap, highestLevel, thermometer } from '../ops/threshold.ts'
import { truncate } from '../ops/truncate.ts'
import { type Opened, type Plan, PlanBuilder, type Share } from '../plan.ts'
import { activations } from '../tables/functions.ts'
import { activationTable } from './activation-table.ts'
import { MATRIX_ROLES, type MatrixRole, matrixName, type Visibility } from './lower.ts'
import type { LayerRanges, Ranges } from './ranges.ts'
import {
  FIXED,
  integerBits,
  type NormWidths,
  normWidths,
  type Precision,
  RangeTooWide,
  residualRing,
  softmaxWidths,
} from './widths.ts'

const INVERSE_DEGREE = 5
const BASIS_BITS = 12

/** A model as `compile` needs it: public metadata only. */
export interface ModelSpec {
  readonly config: ModelConfig
  readonly ranges: Ranges
  visibility(layer: number, role: MatrixRole): Visibility
}

export interface CompileOptions {
  readonly precision?: Precision
  /** Two more hops a layer for a third of the dealt bytes in gated models: for long prompts. */
  readonly lean?: boolean
  /** Release every row instead of the last alone: for evaluation by a holder of both sides. */
  readonly everyRow?: boolean
}

/** Bits that count the positions a row may see: plans differ by nothing else of the shape. */
export const spanBitsOf = (shape: { base: number; rows: number }): number =>
  Math.max(3, Math.ceil(Math.log2(shape.base + shape.rows + 1)))

const weightIndex = (layer: number, role: MatrixRole): number =>
  MATRIX_ROLES.length * layer + MATRIX_ROLES.indexOf(role)

class Decoder {
  readonly plan = new PlanBuilder()
  readonly #spec: ModelSpec
  readonly #options: CompileOptions
  readonly #p: Precision
  readonly #spanBits: number
  readonly #residual: number

  constructor(spec: ModelSpec, spanBits: number, options: CompileOptions) {
    this.#spec = spec
    this.#options = options
    this.#p = options.precision ?? FIXED
    this.#spanBits = spanBits
    this.#residual = residualRing(spec.ranges, this.#p)
  }

  compile(): Plan {
    const { config, ranges } = this.#spec
    let x = input(this.plan, { width: config.dim, ring: this.#residual, frac: this.#p.residual })
    ranges.layers.forEach((r, layer) => {
      const attention = this.#attention(x, r, layer)
      // After the last layer's keys and values only the last row matters.
      if (this.#isLast(layer)) x = lastRow(this.plan, x)
      x = add(this.plan, x, attention)
      x = add(this.plan, x, this.#feedForward(x, r, layer))
    })
    const { final } = ranges
    const w = normWidths(config, this.#p, final.x, final.meanSquare, final.x, config.dim, 'the final norm')
    release(this.plan, this.#normal(x, { ...w, open: this.#residual }, final.normal).value)
    return this.plan.finish()
  }

  /** Whether only the last row goes on after this layer's keys and values. */
  #isLast(layer: number): boolean {
    return layer === this.#spec.config.layers - 1 && !this.#options.everyRow
  }

  /** Opens x, and 1/rms(x) beside it; `lift`, `weight` and `ring` are what x's and the root's consumers want. */
  #root(
    x: Share,
    w: NormWidths,
    o: { lift: number; weight?: number; ring: number },
  ): { opened: Opened; root: Opened } {
    const { plan } = this
    const { config } = this.#spec
    const opened = open(plan, x, { bits: w.open, lift: Math.max(o.lift, w.square), weight: o.weight })
    const squares = sumSquares(plan, opened, w.square)
    const v = open(
      plan,
      truncate(plan, squares, 2 * this.#p.residual - w.table.frac, w.table.ring, 'unsigned'),
      {
        bits: w.table.ring,
      },
    )
    const { dim, eps } = config
    const r = inverse(plan, v, {
      ...w.table,
      f: (y) => 1 / Math.sqrt(y / dim + eps),
      degree: INVERSE_DEGREE,
      frac: w.rootFrac,
      basisBits: BASIS_BITS,
      ring: w.root + BASIS_BITS,
    })
    return { opened, root: open(plan, truncate(plan, r, BASIS_BITS), { bits: w.root, lift: o.ring }) }
  }

  /** x / rms(x), at the activations' scale. */
  #normal(x: Share, w: NormWidths, largest: number): { value: Share; bits: number } {
    const f = this.#p.activation
    const bits = f + integerBits(largest * this.#p.headroom) + 2
    const drop = this.#p.residual + w.rootFrac - f
    const ring = bits + drop
    const { opened, root } = this.#root(x, w, { lift: ring, ring })
    const terms = timesInverse(opened, root, inverseLevels(w.table), x.width)
    const wide = product(this.plan, terms, { width: x.width, ring, frac: this.#p.residual + w.rootFrac })
    return { value: truncate(this.plan, wide, drop, bits), bits }
  }

  /** An opened liftable value times a weight. */
  #liftedLinear(x: Opened, layer: number, role: MatrixRole, n: number, ring: number): Share {
    const weight = this.#weight(layer, role, n)
    if (weight.visibility === 'public') return linearPublic(this.plan, lift(this.plan, x, ring), weight)
    return linearPrivate(this.plan, blindLifted(this.plan, x, ring), weight)
  }

  /** A share in its product's own ring times a weight. */
  #linear(x: Share, layer: number, role: MatrixRole, n: number): Share {
    const weight = this.#weight(layer, role, n)
    if (weight.visibility === 'public') return linearPublic(this.plan, x, weight)
    return linearPrivate(this.plan, blind(this.plan, x, weight.index), weight)
  }

  #weight(layer: number, role: MatrixRole, n: number): WeightRef {
    const visibility = this.#spec.visibility(layer, role)
    return {
      name: matrixName(layer, role),
      index: weightIndex(layer, role),
      n,
      frac: this.#p.weight,
      visibility,
    }
  }

  #biased(x: Share, layer: number, role: MatrixRole): Share {
    return this.#spec.config.arch === 'gpt2' ? bias(this.plan, x, matrixName(layer, role)) : x
  }

  /** What attention adds to the residual stream. */
  #attention(x: Share, r: LayerRanges, layer: number): Share {
    const { plan } = this
    const { config } = this.#spec
    const p = this.#p
    const f = p.activation
    const s = softmaxWidths(p, r, this.#spanBits, config.context, {
      scalars: config.heads,
      columns: config.dim,
    })
    const hd = headDim(config)
    const kv = config.kvHeads * hd
    const h = { heads: config.heads, kvHeads: config.kvHeads, headDim: hd }
    const rotary = config.arch === 'llama' ? p.rotary : 0
    const ring = Math.max(p.weight + rotary + s.scores, p.weight + s.weights)
    if (ring > 64) throw new RangeTooWide(`layer ${layer}: queries, keys and values need ${ring} bits`)

    const w = normWidths(config, p, r.x, r.meanSquare1, r.x, config.dim, `layer ${layer}: the first norm`)
    const n = this.#normal(x, { ...w, open: this.#residual }, r.normal1)
    const opened = open(plan, n.value, { bits: n.bits, lift: ring, weight: weightIndex(layer, 'qkv') })
    const qkv = this.#biased(
      this.#liftedLinear(opened, layer, 'qkv', config.dim + 2 * kv, ring),
      layer,
      'qkv',
    )
    const turned = (from: number, width: number, source = qkv): Share => {
      const part = slice(plan, source, from, width)
      if (rotary === 0) return truncate(plan, part, p.weight, s.scores)
      const rotated = rotate(plan, part, { headDim: hd, theta: config.ropeTheta ?? 10000, frac: rotary })
      return truncate(plan, rotated, p.weight + rotary, s.scores)
    }
    const q = open(plan, turned(0, config.dim, this.#isLast(layer) ? lastRow(plan, qkv) : qkv), {
      bits: s.scores,
    })
    const keys = `${layer}.k`
    const values = `${layer}.v`
    const k = open(plan, turned(config.dim, kv), { bits: s.scores, cache: keys })
    const vShare = truncate(plan, slice(plan, qkv, config.dim + kv, kv), p.weight, s.weights)
    const v = open(plan, vShare, { bits: s.weights, cache: values })

    const logits = scores(plan, q, k, keys, h, [s.edge, s.edge + 2 ** (s.bins + s.binBits)])
    const shifted = addConstant(plan, logits, BigInt(-s.edge) << BigInt(2 * f))
    const c = open(plan, truncate(plan, shifted, 2 * f + s.binBits, s.bins, 'unsigned'), { bits: s.bins })
    const N = open(plan, thermometer(plan, c, this.#spanBits), { bits: this.#spanBits })
    const level = highestLevel(plan, N, config.heads)
    const fine = truncate(plan, logits, 2 * f - s.exponentFrac, s.exponent, 'modular')
    const z = open(
      plan,
      belowCap(plan, fine, level, {
        shift: s.exponentFrac + s.binBits,
        offset: BigInt(s.edge) << BigInt(s.exponentFrac),
      }),
      { bits: s.exponent },
    )
    const powers = exponential(plan, z, {
      entryBits: s.exponentEntries,
      frac: s.weightFrac,
      factorBits: s.factorBits,
      ring: s.weights + s.factorBits,
    })
    const e = truncate(plan, powers, s.factorBits, s.weights)
    const P = open(plan, e, { bits: s.weights })
    const d = s.denominator
    const den = open(plan, truncate(plan, sumPositions(plan, e), s.weightFrac - d.frac, d.ring, 'unsigned'), {
      bits: d.ring,
    })

    const outRing = this.#residual + f + p.weight - p.residual
    const drop = s.mixedFrac + s.inverseFrac - f
    const wide = outRing + drop
    if (wide > 64) throw new RangeTooWide(`layer ${layer}: the attention output needs ${wide} bits`)
    const mixed = open(
      plan,
      truncate(plan, mix(plan, P, v, values, h), s.weightFrac + f - s.mixedFrac, s.mixed),
      { bits: s.mixed, lift: wide },
    )
    const reciprocal = inverse(plan, den, {
      ...d,
      f: (y) => 1 / y,
      degree: INVERSE_DEGREE,
      frac: s.inverseFrac,
      basisBits: BASIS_BITS,
      ring: s.inverse + BASIS_BITS,
    })
    const rd = open(plan, truncate(plan, reciprocal, BASIS_BITS), { bits: s.inverse, lift: wide })
    const terms = timesInverse(mixed, rd, inverseLevels(d), hd)
    const out = product(plan, terms, { width: config.dim, ring: wide, frac: s.mixedFrac + s.inverseFrac })
    const y = this.#biased(this.#linear(truncate(plan, out, drop), layer, 'out', config.dim), layer, 'out')
    return truncate(plan, y, f + p.weight - p.residual, this.#residual)
  }

  /**
   * What the feed-forward block adds to the residual stream. The first product runs on the raw residual and is
   * normalised afterwards: 1/rms commutes with it, and two hops are saved.
   */
  #feedForward(x: Share, r: LayerRanges, layer: number): Share {
    const { plan } = this
    const { config } = this.#spec
    const p = this.#p
    const f = p.activation
    const gated = config.arch === 'llama'
    const room = p.headroom
    const n = gated ? 2 * config.ff : config.ff
    const w = normWidths(config, p, r.x, r.meanSquare2, r.raw, n, `layer ${layer}: the second norm`)
    const rms = Math.sqrt(r.meanSquare2[0] + config.eps)
    const rawFrac = f + 1 + Math.max(0, Math.ceil(-Math.log2(rms / room)))
    const raw = rawFrac + integerBits(r.raw * room) + 2
    const upRing = raw + p.residual + p.weight - rawFrac
    const act = activations[config.activation]
    // In quarter octaves, so that layers share their tables.
    const limit = 2 ** (Math.ceil(4 * Math.log2(r.gate * room)) / 4)
    const table = activationTable(config.activation, act, limit, 2 ** -(f - 1))
    const { half } = table
    const gateBits = f + half + 1
    const upBits = f + integerBits(r.up * room) + 2
    const drop = rawFrac + w.rootFrac - f
    const ring = Math.max(gateBits, upBits) + drop
    if (Math.max(upRing, ring) > 64)
      throw new RangeTooWide(`layer ${layer}: the feed-forward block needs ${Math.max(upRing, ring)} bits`)

    const { opened, root } = this.#root(
      x,
      { ...w, open: this.#residual },
      { lift: upRing, weight: weightIndex(layer, 'up'), ring },
    )
    const first = truncate(
      plan,
      this.#liftedLinear(opened, layer, 'up', n, upRing),
      p.residual + p.weight - rawFrac,
      raw,
    )
    const rawOpened = open(plan, first, { bits: raw, lift: ring })
    const terms = timesInverse(rawOpened, root, inverseLevels(w.table), n)
    const normal = truncate(plan, product(plan, terms, { width: n, ring, frac: rawFrac + w.rootFrac }), drop)
    const biased = this.#biased(normal, layer, 'up')

    const g = open(plan, gated ? slice(plan, biased, 0, config.ff) : biased, { bits: gateBits })
    const outRing = this.#residual + f + p.weight - p.residual
    const coefficientBits = 13
    const basisBits = Math.min(13, 64 - outRing - coefficientBits)
    if (basisBits < 10) throw new RangeTooWide(`layer ${layer}: the activation needs more than 64 bits`)
    const tabulated = (u: Opened | undefined, t: number, ring: number): Share =>
      truncate(
        plan,
        activate(plan, g, u, { f: act, limit, ...table, coefficientBits, basisBits, ring: ring + t }),
        t,
        ring,
      )
    const upShare = gated ? slice(plan, biased, config.ff, config.ff) : undefined
    const scale = coefficientBits + basisBits
    let a: Share
    if (!upShare) a = tabulated(undefined, scale - f, outRing)
    else if (this.#options.lean) {
      // Opening act(g) costs two hops and saves the two tables that hold it times the masks of u.
      const actBits = f + half + 2
      const ring = outRing + f
      const opened = open(plan, tabulated(undefined, scale - f, actBits), { bits: actBits, lift: ring })
      const u = open(plan, upShare, { bits: upBits, lift: ring })
      const factors = [{ value: opened }, { value: u }]
      a = truncate(plan, product(plan, [factors], { width: config.ff, ring, frac: 2 * f }), f)
    } else a = tabulated(open(plan, upShare, { bits: upBits, centred: true }), scale, outRing)
    const y = this.#biased(this.#linear(a, layer, 'down', config.dim), layer, 'down')
    return truncate(plan, y, f + p.weight - p.residual, this.#residual)
  }
}

/** The plan of a decoder for passes whose rows see at most 2^spanBits - 1 positions. Throws `RangeTooWide`. */
export const compileDecoder = (spec: ModelSpec, spanBits: number, options: CompileOptions = {}): Plan =>
  new Decoder(spec, spanBits, options).compile()
