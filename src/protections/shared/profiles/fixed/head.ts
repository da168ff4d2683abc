/** Compiles what follows the final norm. */
import type { PoolActivation } from '../../../../model/architectures/architecture.ts'
import type { Activation } from '../../../../model/architectures/config.ts'
import { activate } from '../../ops/activate.ts'
import { centre, centreBits } from '../../ops/centre.ts'
import { open } from '../../ops/open.ts'
import { truncate } from '../../ops/truncate.ts'
import type { Opened, Share } from '../../values.ts'
import { activationPrecision, type TableShape, tableMargin, tableOf } from './activation-table.ts'
import { type Block, weightIndex } from './block.ts'
import { RangeTooWide } from './errors.ts'
import type { PoolRanges, Ranges } from './ranges.ts'
import { integerBits, normWidths, openedAs, type Precision } from './widths.ts'

/** A value at the activations' scale, and the bits that it is opened with. */
interface Normal {
  readonly value: Share
  readonly bits: number
}

/** From the final norm's rows to what is to be released. Throws `RangeTooWide`. */
export function compileHead(block: Block, n: Normal): Share {
  const { head } = block.graph
  const { ranges } = block.spec
  block.checks.at('the head')
  if (head.kind === 'none') return rows(block, n, block.spec.config.dim)
  if (head.kind === 'labels' && !head.poolNorm)
    return classify(block, n, poolRanges(ranges), {
      labels: head.output.outputs,
      activation: head.poolActivation,
    })
  const name = head.kind === 'labels' ? head.poolActivation : block.graph.activation
  const isThrough = head.kind === 'labels' || head.transform !== undefined
  const last = isThrough ? transformed(block, n, poolRanges(ranges), name) : n
  return head.kind === 'tokens'
    ? rows(block, last, head.output.outputs)
    : products(block, last, head.output.outputs)
}

function poolRanges({ pool }: Ranges): PoolRanges {
  if (!pool) throw new RangeTooWide('the head was not calibrated', { role: 'pool' })
  return pool
}

/** The head's first dense layer, opened in +-2^half for its activation. */
function pooled(block: Block, n: Normal, table: TableShape): Opened {
  const { plan, precision: p, spec } = block
  const layer = spec.config.layers
  const bits = p.activation + table.half + 1
  const wide = bits + p.guard
  const ring = wide + p.weight
  const opened = open(plan, n.value, { bits: n.bits, lift: ring, weight: weightIndex(layer, 'pool') })
  const y = block.biased(block.liftedLinear(opened, layer, 'pool', spec.config.dim, ring), layer, 'pool')
  const x = truncate(plan, y, p.weight, wide)
  const g = open(plan, x, { bits })
  block.checks.within(x, g, { margin: tableMargin(bits, table) })
  return g
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
  const g = pooled(block, n, table)
  const coefficientBits = 13
  const basisBits = Math.min(13, 64 - ring)
  if (basisBits < 10)
    throw new RangeTooWide("the head's activation needs more than 64 bits", { role: 'pool' })
  const drop = coefficientBits + basisBits - p.activation
  const y = activate(plan, g, undefined, {
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
): Share {
  const { plan, precision: p, spec } = block
  const { config, ranges } = spec
  const bits = releasedBits(p, ranges)
  const a = activated(block, n, r, activation, bits + p.weight)
  const y = block.biased(block.linear(a, config.layers, 'head', labels), config.layers, 'head')
  return truncate(plan, y, p.weight, bits)
}

/** A head up to a norm of its own: a dense layer, the activation, and rows normalised anew. */
function transformed(block: Block, n: Normal, r: PoolRanges, name: Activation | PoolActivation): Normal {
  const { precision: p, plan, spec } = block
  const { config } = spec
  const bits = p.residual + integerBits(r.x * p.headroom) + 2
  const ring = bits + p.guard
  const drop = p.activation + centreBits(config.dim) - p.residual
  const a = activated(block, n, r, name, ring + drop)
  const w = normWidths(config, p, r.x, r.meanSquare, r.x, config.dim, "the head's norm")
  return block.normal(truncate(plan, centre(plan, a), drop), openedAs(w, bits, config.dim), r.normal)
}

/** Rows as they are, where the owner knows what is left to do, or times the private matrix that is left. */
const rows = (block: Block, n: Normal, width: number): Share =>
  block.isPrivate('head') ? products(block, n, width) : n.value

/** What logits take, and what shows that they do not fit. */
const releasedBits = (p: Precision, { final }: Ranges): number =>
  p.activation + integerBits(final.logits * p.headroom) + 2 + p.guard

/** Rows times the head's matrix. */
function products(block: Block, n: Normal, width: number): Share {
  const { plan, precision: p, spec } = block
  const { config, ranges } = spec
  const layer = config.layers
  const bits = releasedBits(p, ranges)
  const ring = bits + p.weight
  const opened = open(plan, n.value, { bits: n.bits, lift: ring, weight: weightIndex(layer, 'head') })
  const y = block.biased(block.liftedLinear(opened, layer, 'head', width, ring), layer, 'head')
  return truncate(plan, y, p.weight, bits)
}
