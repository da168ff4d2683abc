/** The feed-forward block, gated or not. */

import { activations } from '../../model/math.ts'
import { activate } from '../ops/activate.ts'
import { inverseLevels, timesInverse } from '../ops/inverse.ts'
import { slice } from '../ops/local.ts'
import { open } from '../ops/open.ts'
import { product } from '../ops/product.ts'
import { truncate } from '../ops/truncate.ts'
import type { Opened, Share } from '../plan.ts'
import { activationTable } from './activation-table.ts'
import { type Block, weightIndex } from './block.ts'
import type { LayerRanges } from './ranges.ts'
import { integerBits, normWidths, RangeTooWide } from './widths.ts'

/**
 * What the feed-forward block adds to the residual stream. The first product runs on the raw residual and is
 * normalised afterwards: 1/rms commutes with it, and two hops are saved.
 */
export function feedForward(block: Block, x: Share, r: LayerRanges, layer: number): Share {
  const { plan, precision: p } = block
  const { config } = block.spec
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

  const { opened, root } = block.root(
    x,
    { ...w, open: block.residual },
    { lift: upRing, weight: weightIndex(layer, 'up'), ring },
  )
  const first = truncate(
    plan,
    block.liftedLinear(opened, layer, 'up', n, upRing),
    p.residual + p.weight - rawFrac,
    raw,
  )
  const rawOpened = open(plan, first, { bits: raw, lift: ring })
  const terms = timesInverse(rawOpened, root, inverseLevels(w.table), n)
  const normal = truncate(plan, product(plan, terms, { width: n, ring, frac: rawFrac + w.rootFrac }), drop)
  const biased = block.biased(normal, layer, 'up')

  const g = open(plan, gated ? slice(plan, biased, 0, config.ff) : biased, { bits: gateBits })
  const outRing = block.residual + f + p.weight - p.residual
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
  else if (block.options.lean) {
    // Opening act(g) costs two hops and saves the two tables that hold it times the masks of u.
    const actBits = f + half + 2
    const ring = outRing + f
    const opened = open(plan, tabulated(undefined, scale - f, actBits), { bits: actBits, lift: ring })
    const u = open(plan, upShare, { bits: upBits, lift: ring })
    const factors = [{ value: opened }, { value: u }]
    a = truncate(plan, product(plan, [factors], { width: config.ff, ring, frac: 2 * f }), f)
  } else a = tabulated(open(plan, upShare, { bits: upBits, centred: true }), scale, outRing)
  const y = block.biased(block.linear(a, layer, 'down', config.dim), layer, 'down')
  return truncate(plan, y, f + p.weight - p.residual, block.residual)
}
