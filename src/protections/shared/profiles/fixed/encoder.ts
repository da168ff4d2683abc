/** Compiles an encoder to a plan of the `fixed` profile. */

import type { Activation } from '../../../../model/architectures/config.ts'
import { activate } from '../../ops/activate.ts'
import { add } from '../../ops/add.ts'
import { centre, centreBits } from '../../ops/centre.ts'
import { input } from '../../ops/input.ts'
import { open } from '../../ops/open.ts'
import { release } from '../../ops/release.ts'
import { truncate } from '../../ops/truncate.ts'
import type { Plan } from '../../plan.ts'
import { fraction, UNSCALED } from '../../scale.ts'
import type { Opened, Share } from '../../values.ts'
import type { InputType } from '../input-type.ts'
import type { PlanOptions } from '../profile.ts'
import { activationPrecision, tableOf } from './activation-table.ts'
import { attention, projectionRing } from './attention.ts'
import { Block, type ModelSpec, visibilityOf, weightIndex } from './block.ts'
import { RangeTooWide } from './errors.ts'
import { feedForward } from './feed-forward.ts'
import type { Ranges } from './ranges.ts'
import { integerBits, normWidths } from './widths.ts'

/** A value at the activations' scale, and the bits that it is opened with. */
interface Normal {
  readonly value: Share
  readonly bits: number
}

/**
 * The plan of an encoder for passes of at most 2^spanBits - 1 rows. A classifier's rows end with the first token, whose
 * hidden state its head reads; without a classifier every row is released. Throws `RangeTooWide`.
 */
export function compileEncoder(spec: ModelSpec, spanBits: number, options: PlanOptions = {}): Plan {
  const { config, ranges } = spec
  const everyRow = config.head?.kind !== 'classify'
  const block = new Block(spec, spanBits, { ...options, everyRow })
  const { plan, precision } = block
  let x = embed(block)
  ranges.layers.forEach((r, layer) => {
    for (const part of [attention, feedForward]) {
      const { output, residual } = part(block, x, r, layer)
      x = add(plan, residual ?? x, output)
    }
  })
  const { final } = ranges
  const w = normWidths(config, precision, final.x, final.meanSquare, final.x, config.dim, 'the final norm')
  const n = block.normal(x, { ...w, open: block.residual }, final.normal)
  if (!config.head) releaseHead(block, n)
  else if (config.head.kind === 'classify') classify(block, n, poolRanges(ranges))
  else releaseHead(block, transformed(block, n, poolRanges(ranges)))
  return plan.finish()
}

/** What the owner puts in: normalised embeddings where the tables are public, else one-hots of its tokens. */
export function encoderInput(spec: ModelSpec): InputType {
  const { config, ranges } = spec
  const block = new Block(spec, 3, {})
  if (block.isNormalised(0)) {
    const ring = projectionRing(block, ranges.layers[0], 0)
    return { width: config.dim, ring, scale: fraction(block.precision.activation) }
  }
  const width = config.vocab + config.context + (config.positionOffset ?? 0) + (config.types ?? 1)
  return { width, ring: block.residual, scale: UNSCALED }
}

function embed(block: Block): Share {
  const { config } = block.spec
  const x = input(block.plan, encoderInput(block.spec))
  return block.isNormalised(0) ? x : block.linear(x, config.layers, 'embed', config.dim)
}

type PoolRanges = NonNullable<Ranges['pool']>

function poolRanges({ pool }: Ranges): PoolRanges {
  if (!pool) throw new RangeTooWide('the head was not calibrated', { role: 'pool' })
  return pool
}

/** The head's first dense layer, opened in +-2^half for its activation. */
function pooled(block: Block, n: Normal, half: number): Opened {
  const { plan, precision: p, spec } = block
  const layer = spec.config.layers
  const bits = p.activation + half + 1
  const ring = bits + p.weight
  const opened = open(plan, n.value, { bits: n.bits, lift: ring, weight: weightIndex(layer, 'pool') })
  const y = block.biased(block.liftedLinear(opened, layer, 'pool', spec.config.dim, ring), layer, 'pool')
  return open(plan, truncate(plan, y, p.weight, bits), { bits })
}

/** The head's activation of its first dense layer, at the activations' scale in a ring of so many bits. */
function activated(block: Block, n: Normal, r: PoolRanges, name: Activation | 'tanh', ring: number): Share {
  const { plan, precision: p } = block
  const limit = 2 ** (Math.ceil(4 * Math.log2(r.input * p.headroom)) / 4)
  const table = tableOf(name, limit, activationPrecision(false))
  const g = pooled(block, n, table.half)
  const coefficientBits = 13
  const basisBits = Math.min(13, 64 - ring)
  if (basisBits < 10)
    throw new RangeTooWide("the head's activation needs more than 64 bits", { role: 'pool' })
  const drop = coefficientBits + basisBits - p.activation
  const y = activate(plan, g, undefined, {
    limit,
    ...table,
    coefficientBits,
    basisBits,
    ring: ring + drop,
  })
  return truncate(plan, y, drop, ring)
}

/** tanh of the first row's dense layer, then the classifier; its logits are released. */
function classify(block: Block, n: Normal, r: PoolRanges): void {
  const { plan, precision: p, spec } = block
  const { config, ranges } = spec
  const labels = config.head?.kind === 'classify' ? config.head.labels.length : 0
  const bits = p.activation + integerBits(ranges.final.logits * p.headroom) + 2
  const a = activated(block, n, r, 'tanh', bits + p.weight)
  const y = block.biased(block.linear(a, config.layers, 'head', labels), config.layers, 'head')
  release(plan, truncate(plan, y, p.weight, bits))
}

/** A masked language model's head up to its norm: a dense layer, the activation, and rows normalised anew. */
function transformed(block: Block, n: Normal, r: PoolRanges): Normal {
  const { precision: p, plan, spec } = block
  const { config } = spec
  const ring = p.residual + integerBits(r.x * p.headroom) + 2
  const drop = p.activation + centreBits(config.dim) - p.residual
  const a = activated(block, n, r, config.activation, ring + drop)
  const w = normWidths(config, p, r.x, r.meanSquare, r.x, config.dim, "the head's norm")
  return block.normal(truncate(plan, centre(plan, a), drop), { ...w, open: ring }, r.normal)
}

/** Releases rows as they are, where the owner knows what is left to do, or times the private matrix that is left. */
function releaseHead(block: Block, n: Normal): void {
  const { plan, precision: p, spec } = block
  const { config, ranges } = spec
  const layer = config.layers
  if (visibilityOf(spec, layer, 'head') === 'public') {
    release(plan, n.value)
    return
  }
  const bits = p.activation + integerBits(ranges.final.logits * p.headroom) + 2
  const ring = bits + p.weight
  const opened = open(plan, n.value, { bits: n.bits, lift: ring, weight: weightIndex(layer, 'head') })
  const width = config.head ? config.vocab : config.dim
  const y = block.biased(block.liftedLinear(opened, layer, 'head', width, ring), layer, 'head')
  release(plan, truncate(plan, y, p.weight, bits))
}
