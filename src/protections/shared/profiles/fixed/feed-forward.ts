/** The feed-forward block, gated or not. */
import { activate } from '../../ops/activate.ts'
import { inverseLevels, timesInverse } from '../../ops/composed/open-inverse.ts'
import { open } from '../../ops/open.ts'
import { product } from '../../ops/product.ts'
import { slice } from '../../ops/slice.ts'
import { truncate } from '../../ops/truncate.ts'
import { fraction } from '../../scale.ts'
import type { Opened, Share } from '../../values.ts'
import { activationPrecision, tableMargin, tableOf } from './activation-table.ts'
import type { Added } from './attention.ts'
import { type Block, weightIndex } from './block.ts'
import { placed, RangeTooWide } from './errors.ts'
import { matrixName, residualBias } from './matrices.ts'
import { ownRanges, written, writtenColumns, writtenRing } from './own-norm.ts'
import type { LayerRanges } from './ranges.ts'
import { integerBits, normWidths } from './widths.ts'

/**
 * What the feed-forward block adds to the residual stream. The first product runs on the raw residual and is
 * normalised afterwards: 1/rms commutes with it, and two hops are saved.
 */
export function feedForward(block: Block, x: Share, r: LayerRanges, layer: number): Added {
  const { plan, precision: p } = block
  const { config } = block.spec
  const f = p.activation
  const gated = block.graph.isGated
  const room = p.headroom
  const n = gated ? 2 * config.ff : config.ff
  const extra = block.residualColumns
  // The residual stream has more fraction bits than activations, and so needs more of the root's.
  const most = Math.max(r.raw, (r.rawResidual ?? 0) * 2 ** (p.residual - f))
  const w = placed({ layer, role: 'up' }, () =>
    normWidths(config, p, r.x, r.meanSquare2, most, n + extra, 'the second norm'),
  )
  const rms = Math.sqrt(r.meanSquare2[0] + config.eps)
  const rawFrac = f + 1 + Math.max(0, Math.ceil(-Math.log2(rms / room)))
  const raw = rawFrac + integerBits(r.raw * room) + 2
  const stream = residualWidths(block, r, rawFrac, w.rootFrac)
  const upRing = Math.max(raw + p.guard + p.residual + p.weight - rawFrac, stream?.upRing ?? 0)
  // In quarter octaves, so that layers share their tables.
  const limit = 2 ** (Math.ceil(4 * Math.log2(r.gate * room)) / 4)
  const precise = activationPrecision(block.graph.attention === 'bidirectional')
  const table = tableOf(block.graph.activation, limit, precise)
  const { half } = table
  const gateBits = f + half + 1
  const upBits = f + integerBits(r.up * room) + 2
  const drop = rawFrac + w.rootFrac - f
  const ring = Math.max(gateBits, upBits) + p.guard + drop
  const widest = Math.max(upRing, ring, stream?.ring ?? 0)
  if (widest > 64)
    throw new RangeTooWide(`the feed-forward block needs ${widest} bits`, { layer, role: 'up' })

  const { opened, root } = block.root(x, block.ofStream(w), {
    lift: upRing,
    weight: weightIndex(layer, 'up'),
    ring: Math.max(ring, stream?.ring ?? 0),
  })
  const products = block.liftedLinear(opened, layer, 'up', n + extra, upRing)
  const first = truncate(
    plan,
    stream ? slice(plan, products, 0, n) : products,
    p.residual + p.weight - rawFrac,
    raw + p.guard,
  )
  const rawOpened = open(plan, first, { bits: raw, lift: Math.max(ring, raw + p.guard) })
  block.checks.lifted(first, rawOpened)
  const terms = timesInverse(rawOpened, root, inverseLevels(w.table), n)
  const normal = truncate(
    plan,
    product(plan, terms, { width: n, ring, scale: fraction(rawFrac + w.rootFrac) }),
    drop,
  )
  const biased = block.biased(normal, layer, 'up')

  const gate = gated ? slice(plan, biased, 0, config.ff) : biased
  const g = open(plan, gate, { bits: gateBits })
  block.checks.within(gate, g, { margin: tableMargin(g.ring, table) })
  const { fed } = placed({ layer, role: 'down' }, () => ownRanges(block, r))
  const outRing = placed({ layer, role: 'down' }, () => writtenRing(block, fed))
  const coefficientBits = 13
  const basisBits = Math.min(precise.basisBits, 64 - outRing - coefficientBits)
  if (basisBits < 10) throw new RangeTooWide('the activation needs more than 64 bits', { layer, role: 'up' })
  const tabulated = (u: Opened | undefined, t: number, ring: number): Share =>
    truncate(plan, activate(plan, g, u, { ...table, coefficientBits, basisBits, ring: ring + t }), t, ring)
  const upShare = gated ? slice(plan, biased, config.ff, config.ff) : undefined
  const scale = coefficientBits + basisBits
  let a: Share
  if (!upShare) a = tabulated(undefined, scale - f, outRing)
  else if (block.options.goal === 'bytes') {
    // Opening act(g) costs two hops and saves the two tables that hold it times the masks of u.
    const actBits = f + half + 2
    const ring = outRing + f
    const opened = open(plan, tabulated(undefined, scale - f, actBits), { bits: actBits, lift: ring })
    const u = open(plan, upShare, { bits: upBits, lift: ring })
    block.checks.lifted(upShare, u)
    const factors = [{ value: opened }, { value: u }]
    a = truncate(plan, product(plan, [factors], { width: config.ff, ring, scale: fraction(2 * f) }), f)
  } else {
    const u = open(plan, upShare, { bits: upBits, centred: true })
    block.checks.within(upShare, u, { bits: upBits - 1 })
    a = tabulated(u, scale, outRing)
  }
  const y = block.biased(block.linear(a, layer, 'down', writtenColumns(block, fed)), layer, 'down')
  const output = written(block, y, fed)
  if (!stream) return { output }
  const columns = truncate(
    plan,
    slice(plan, products, n, extra),
    p.residual + p.weight - stream.frac,
    stream.bits + p.guard,
  )
  const rawStream = open(plan, columns, {
    bits: stream.bits,
    lift: Math.max(stream.ring, stream.bits + p.guard),
  })
  block.checks.lifted(columns, rawStream)
  const scaled = product(plan, timesInverse(rawStream, root, inverseLevels(w.table), extra), {
    width: extra,
    ring: stream.ring,
    scale: fraction(stream.frac + w.rootFrac),
  })
  const residual = truncate(plan, scaled, stream.frac + w.rootFrac - p.residual, block.stream)
  return { output, residual: block.biased(residual, layer, 'up', residualBias(matrixName(layer, 'up'))) }
}

/** Of the residual columns of the first product: opening, its fraction bits, and the ring of their normalisation. */
function residualWidths(
  { precision: p, stream }: Block,
  r: LayerRanges,
  rawFrac: number,
  rootFrac: number,
): { frac: number; bits: number; ring: number; upRing: number } | undefined {
  if (r.rawResidual === undefined) return undefined
  const frac = rawFrac + p.residual - p.activation
  const bits = frac + integerBits(r.rawResidual * p.headroom) + 2
  const ring = Math.max(bits, stream + frac + rootFrac - p.residual)
  return { frac, bits, ring, upRing: bits + p.guard + p.residual + p.weight - frac }
}
