/** The feed-forward block: both products and what is between them. */
import { gate } from '../../ops/gate.ts'
import { lines } from '../../ops/lines.ts'
import { narrow } from '../../ops/narrow.ts'
import { open } from '../../ops/open.ts'
import { positive } from '../../ops/positive.ts'
import { product } from '../../ops/product.ts'
import { slice } from '../../ops/slice.ts'
import { truncate } from '../../ops/truncate.ts'
import { timesScale } from '../../scale.ts'
import type { Opened, Share } from '../../values.ts'
import type { Blinded, Block } from './block.ts'
import { requantized } from './four-bits.ts'
import { LINE_FRACTION } from './widths.ts'

/** What the block adds to the stream, at the stream's scale and mod 2^stream: rows x dim. */
export function feedForward(block: Block, e: Blinded, layer: number): Share {
  const { plan, widths: w, spec } = block
  const { ff, dim } = spec.config
  const { isGated } = spec.form
  const up = block.linear(e, { layer, role: 'up' }, isGated ? 2 * ff : ff, w.up.product, w.up.drop)
  const inner = isGated ? gated(block, slice(plan, up, 0, ff), slice(plan, up, ff, ff)) : rectified(block, up)
  const hidden = w.hidden.drop === 0 ? inner : truncate(plan, inner, w.hidden.drop, undefined, 'modular')
  const place = { layer, role: 'down' } as const
  const blinded = block.blind(hidden, place, w.hidden.product)
  return block.linear(blinded, place, dim, w.hidden.product, w.hidden.downDrop)
}

/** ReLU as a gate: the sign by a table of bits, which is opened in Z_2. */
function rectified(block: Block, g: Share): Share {
  const { plan, widths: w } = block
  if (block.isFourBit) return requantized(block, g, w.up.ring, w.hidden.ring, true)
  const opened = open(plan, g, { bits: w.up.ring, lift: w.hidden.ring })
  const sign = open(plan, positive(plan, opened), { bits: 1 })
  return gate(plan, opened, sign, w.hidden.ring)
}

/** act(g) u. */
function gated(block: Block, g: Share, u: Share): Share {
  const { plan, widths: w, spec } = block
  const lifted = (x: Share): Opened => open(plan, x, { bits: w.up.ring, lift: w.hidden.ring })
  const act = lifted(spec.tables.activation ? activated(block, g) : g)
  const up = lifted(u)
  return product(plan, [[{ value: act }, { value: up }]], {
    ...{ width: g.width, ring: w.hidden.ring },
    scale: timesScale(act.scale, up.scale),
  })
}

/** act(g) in a ring as wide as its values: small enough to be opened again by who knew the table's index first. */
function activated(block: Block, g: Share): Share {
  const { plan, widths: w, spec } = block
  const table = spec.tables.activation
  if (!table) return g
  const opened = open(plan, g, { bits: w.up.ring })
  const f = lines(plan, opened, table, { frac: LINE_FRACTION, ring: w.up.ring + LINE_FRACTION })
  return narrow(plan, truncate(plan, f, LINE_FRACTION), w.up.ring)
}
