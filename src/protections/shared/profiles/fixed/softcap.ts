/** Soft-capped attention logits: cap tanh(x / cap), in octaves, by a table. */
import { activate } from '../../ops/activate.ts'
import { open } from '../../ops/open.ts'
import { truncate } from '../../ops/truncate.ts'
import type { Share } from '../../values.ts'
import { activationTable, type TableShape, tableMargin } from './activation-table.ts'
import type { Block } from './block.ts'
import type { Interval } from './ranges.ts'
import type { Precision } from './widths.ts'

/** Fraction bits of the opened logits, of the table's coefficients and of the public basis. */
const ARGUMENT_BITS = 12
const COEFFICIENT_BITS = 13

export interface SoftcapWidths {
  /** In octaves. */
  readonly cap: number
  /** The table's range: what logits may reach before the cap. */
  readonly limit: number
  readonly table: TableShape
  /** Ring of the logits before the cap. */
  readonly scores: number
  /** What the cap makes of the calibrated logits. */
  readonly score: Interval
}

/**
 * @param score calibrated logits before the cap, in octaves
 * @param cap of the model's configuration, in nats
 */
export function softcapWidths(p: Precision, [low, high]: Interval, cap: number): SoftcapWidths {
  const octaves = cap * Math.LOG2E
  const f = (x: number): number => octaves * Math.tanh(x / octaves)
  const reach = Math.max(-low, high, 1) * p.headroom
  const limit = 2 ** (Math.ceil(4 * Math.log2(reach)) / 4)
  const table = activationTable(`soft cap ${cap}`, f, limit, 2 ** -10)
  const scores = 2 * p.activation + table.half + 1 + p.guard
  return { cap: octaves, limit, table, scores, score: [f(low), f(high)] }
}

/** The logits under their cap, mod 2^ring: one opening. */
export function softcapped(
  { plan, precision, checks }: Block,
  logits: Share,
  w: SoftcapWidths,
  ring: number,
): Share {
  const bits = ARGUMENT_BITS + w.table.half + 1
  const rounded = truncate(plan, logits, logits.scale.bits - ARGUMENT_BITS, bits + precision.guard, 'modular')
  const g = open(plan, rounded, { bits })
  checks.within(rounded, g, { margin: tableMargin(bits, w.table) })
  const { cap, table } = w
  return activate(plan, g, undefined, {
    f: (x) => cap * Math.tanh(x / cap),
    ...table,
    coefficientBits: COEFFICIENT_BITS,
    basisBits: logits.scale.bits - COEFFICIENT_BITS,
    ring,
  })
}
