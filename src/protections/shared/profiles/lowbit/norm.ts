/** Rows divided by the root of their mean square. */
import { lookup } from '../../ops/lookup.ts'
import { narrow } from '../../ops/narrow.ts'
import { normalise } from '../../ops/normalise.ts'
import { open } from '../../ops/open.ts'
import { product } from '../../ops/product.ts'
import { sumSquares } from '../../ops/sum-squares.ts'
import { truncate } from '../../ops/truncate.ts'
import { fraction, timesScale } from '../../scale.ts'
import type { Opened, Share } from '../../values.ts'
import type { Block } from './block.ts'
import { STREAM_FRACTION } from './widths.ts'

/** Fraction bits of 1/rms: the product with a stream has those of an activation, and what the root has beyond. */
const rootFraction = ({ widths: w }: Block): number => w.root.frac - STREAM_FRACTION

/** The upper bits of every row's sum of squares, opened. */
function variance(block: Block, y: Opened): Opened {
  const { plan, widths: w } = block
  const squares = truncate(plan, sumSquares(plan, y, w.square), w.variance.drop, undefined, 'unsigned')
  return open(plan, narrow(plan, squares, w.variance.ring, 'unsigned'), { bits: w.variance.ring })
}

/** 1 / rms of every row of an opened stream, opened for products mod 2^lift. */
export function root(block: Block, y: Opened, lift: number): Opened {
  const { plan, widths: w, spec } = block
  const type = { ring: w.root.ring, scale: fraction(rootFraction(block)) }
  return open(plan, lookup(plan, variance(block, y), spec.tables.root, type), { bits: w.root.ring, lift })
}

/** A stream times a root that was found of another, at an activation's scale, mod 2^(ring less the root's fraction). */
export function divided(block: Block, y: Share, r: Opened, ring: number): Share {
  const { plan, widths: w } = block
  const opened = open(plan, y, { bits: w.stream, lift: ring })
  const out = product(plan, [[{ value: opened }, { value: r, repeat: y.width }]], {
    ...{ width: y.width, ring },
    scale: timesScale(opened.scale, r.scale),
  })
  return truncate(plan, out, w.root.frac, undefined, 'modular')
}

/** y / rms(y) at once, by a table as long as the row: at an activation's scale, in the ring of a layer's input. */
export function normalised(block: Block, y: Share): Share {
  const { plan, widths: w, spec } = block
  const opened = open(plan, y, { bits: w.stream, lift: Math.max(w.square, w.root.product) })
  const out = normalise(plan, opened, variance(block, opened), spec.tables.norm, {
    frac: rootFraction(block),
    ring: w.root.product,
  })
  return truncate(plan, out, w.root.frac, undefined, 'modular')
}
