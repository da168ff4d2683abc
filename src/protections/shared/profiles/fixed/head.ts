/** Compiles what follows the final norm. */
import type { PoolActivation } from '../../../../model/architectures/architecture.ts'
import type { Activation } from '../../../../model/architectures/config.ts'
import { activate } from '../../ops/activate.ts'
import { centre, centreBits } from '../../ops/centre.ts'
import { open } from '../../ops/open.ts'
import { release } from '../../ops/release.ts'
import { truncate } from '../../ops/truncate.ts'
import type { Opened, Share } from '../../values.ts'
import { activationPrecision, tableOf } from './activation-table.ts'
import { type Block, weightIndex } from './block.ts'
import { RangeTooWide } from './errors.ts'
import type { PoolRanges, Ranges } from './ranges.ts'
import { integerBits, normWidths } from './widths.ts'

/** A value at the activations' scale, and the bits that it is opened with. */
interface Normal {
  readonly value: Share
  readonly bits: number
}

/** The plan's last steps, from the final norm's rows to what is released. Throws `RangeTooWide`. */
export function compileHead(block: Block, n: Normal): void {
  const { head } = block.graph
  const { ranges } = block.spec
  if (head.kind === 'none') releaseRows(block, n, block.spec.config.dim)
  else if (head.kind === 'labels' && !head.poolNorm)
    classify(block, n, poolRanges(ranges), { labels: head.output.outputs, activation: head.poolActivation })
  else {
    const name = head.kind === 'labels' ? head.poolActivation : block.graph.activation
    const isThrough = head.kind === 'labels' || head.transform !== undefined
    const rows = isThrough ? transformed(block, n, poolRanges(ranges), name) : n
    if (head.kind === 'tokens') releaseRows(block, rows, head.output.outputs)
    else releaseProducts(block, rows, head.output.outputs)
  }
}

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
function activated(
  block: Block,
  n: Normal,
  r: PoolRanges,
  name: Activation | PoolActivation,
  ring: number,
): Share {
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

/** The first row's dense layer and its activation, then the classifier; its logits are released. */
function classify(
  block: Block,
  n: Normal,
  r: PoolRanges,
  { labels, activation }: { labels: number; activation: PoolActivation },
): void {
  const { plan, precision: p, spec } = block
  const { config, ranges } = spec
  const bits = p.activation + integerBits(ranges.final.logits * p.headroom) + 2
  const a = activated(block, n, r, activation, bits + p.weight)
  const y = block.biased(block.linear(a, config.layers, 'head', labels), config.layers, 'head')
  release(plan, truncate(plan, y, p.weight, bits))
}

/** A head up to a norm of its own: a dense layer, the activation, and rows normalised anew. */
function transformed(block: Block, n: Normal, r: PoolRanges, name: Activation | PoolActivation): Normal {
  const { precision: p, plan, spec } = block
  const { config } = spec
  const ring = p.residual + integerBits(r.x * p.headroom) + 2
  const drop = p.activation + centreBits(config.dim) - p.residual
  const a = activated(block, n, r, name, ring + drop)
  const w = normWidths(config, p, r.x, r.meanSquare, r.x, config.dim, "the head's norm")
  return block.normal(truncate(plan, centre(plan, a), drop), { ...w, open: ring }, r.normal)
}

/** Releases rows as they are, where the owner knows what is left to do, or times the private matrix that is left. */
function releaseRows(block: Block, n: Normal, width: number): void {
  if (block.isPrivate('head')) releaseProducts(block, n, width)
  else release(block.plan, n.value)
}

/** Releases rows times the head's matrix. */
function releaseProducts(block: Block, n: Normal, width: number): void {
  const { plan, precision: p, spec } = block
  const { config, ranges } = spec
  const layer = config.layers
  const bits = p.activation + integerBits(ranges.final.logits * p.headroom) + 2
  const ring = bits + p.weight
  const opened = open(plan, n.value, { bits: n.bits, lift: ring, weight: weightIndex(layer, 'head') })
  const y = block.biased(block.liftedLinear(opened, layer, 'head', width, ring), layer, 'head')
  release(plan, truncate(plan, y, p.weight, bits))
}
