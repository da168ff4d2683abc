/** Attention: queries, keys and values of a blinded row, weights by a table, and values divided by the weights' sum. */
import { alibi } from '../../../../model/alibi.ts'
import { addConstant } from '../../ops/add-constant.ts'
import { distanceBias } from '../../ops/distance-bias.ts'
import { exponential } from '../../ops/exponential.ts'
import { hidePositions } from '../../ops/hide-positions.ts'
import { lastRow } from '../../ops/last-row.ts'
import { lookup } from '../../ops/lookup.ts'
import { mix } from '../../ops/mix.ts'
import { narrow } from '../../ops/narrow.ts'
import { open } from '../../ops/open.ts'
import { product } from '../../ops/product.ts'
import { scores } from '../../ops/scores.ts'
import { slice } from '../../ops/slice.ts'
import { sumPositions } from '../../ops/sum-positions.ts'
import { truncate } from '../../ops/truncate.ts'
import { fraction } from '../../scale.ts'
import type { Opened, Share } from '../../values.ts'
import type { Blinded, Block } from './block.ts'
import { PROBABILITY_FRACTION, probabilities, requantized } from './four-bits.ts'
import { EXPONENTIAL_BITS } from './widths.ts'

/** Scores that the ring tells apart, in octaves; and bits of an output before its table. */
const SCORES = [-32, 32] as const
const OUTPUT = 8

/** Octaves below the largest score that the exponential's table tells apart. */
const REACH = 56

/** Attention's output of half the values' unit, rows x dim, mod 2^attended.product: the last row's alone in a cut layer. */
export function attention(block: Block, e: Blinded, layer: number): Share {
  const { plan, widths: w, spec } = block
  const { dim } = spec.config
  const h = block.heads
  const kv = h.kvHeads * h.headDim
  const qk = block.linear(e, { layer, role: 'qk' }, dim + kv, w.scores.product, w.scores.drop)
  const values = block.linear(e, { layer, role: 'v' }, kv, w.values.product, w.values.drop)
  const queries = slice(plan, block.isCut(layer) ? lastRow(plan, qk) : qk, 0, dim)
  const q = open(plan, queries, { bits: w.scores.ring })
  const k = open(plan, slice(plan, qk, dim, kv), { bits: w.scores.ring, cache: `${layer}.k` })
  const v = open(plan, values, { bits: w.values.ring, cache: `${layer}.v` })
  if (block.isFourBit) return fourBit(block, q, k, v, layer)
  const weights = weightsOf(block, q, k, layer)
  const sum = truncate(plan, sumPositions(plan, weights), w.denominator.drop, undefined, 'unsigned')
  const n = open(plan, narrow(plan, sum, w.denominator.ring, 'unsigned'), { bits: w.denominator.ring })
  const quotient = lookup(plan, n, spec.tables.quotient, {
    ring: w.quotient.ring,
    scale: fraction(w.quotient.frac),
  })
  const mixed = mix(plan, open(plan, weights, { bits: w.values.ring }), v, `${layer}.v`, h)
  const { ring } = w.attended
  const lifted = open(plan, truncate(plan, mixed, w.mixed.drop), { bits: w.mixed.ring, lift: ring })
  const divisor = open(plan, quotient, { bits: w.quotient.ring, lift: ring })
  const out = product(plan, [[{ value: lifted }, { value: divisor, repeat: h.headDim }]], {
    ...{ width: dim, ring },
    scale: fraction(lifted.scale.bits + divisor.scale.bits),
  })
  return truncate(plan, out, w.attended.drop, undefined, 'modular')
}

/** Attention with probabilities of four bits, which need no division: in four bits. */
function fourBit(block: Block, q: Opened, k: Opened, v: Opened, layer: number): Share {
  const { plan, widths: w } = block
  const p = probabilities(block, scores(plan, q, k, `${layer}.k`, block.heads, SCORES))
  const mixed = mix(plan, open(plan, p, { bits: w.values.ring }), v, `${layer}.v`, block.heads)
  const output = truncate(plan, mixed, PROBABILITY_FRACTION - 1, undefined, 'modular')
  return requantized(block, output, OUTPUT, w.attended.product)
}

/** 2^score of every position that a row sees, at most 1 where the score is the model's largest. */
function weightsOf(block: Block, q: Opened, k: Opened, layer: number): Share {
  const { plan, widths: w, spec } = block
  const { form, quantization } = spec
  const { heads } = block.heads
  const { cap } = quantization
  const range = [cap - REACH, cap + 2 ** -4] as const
  const fall = (distance: number, head: number): number => alibi(head, heads, distance)
  const raw = scores(plan, q, k, `${layer}.k`, block.heads, range, form.isAlibi ? fall : undefined)
  let z = truncate(plan, raw, w.exponent.drop, w.exponent.ring, 'modular')
  const unit = 2 ** z.scale.bits
  if (form.isAlibi)
    z = distanceBias(plan, z, (distance, head) => BigInt(Math.round(unit * fall(distance, head))))
  z = addConstant(plan, z, -w.exponent.cap)
  if (!form.isCausal) z = hidePositions(plan, z, w.exponent.padding)
  const { frac, factor, ring } = w.weight
  const powers = exponential(plan, open(plan, z, { bits: w.exponent.ring }), {
    ...{ entryBits: EXPONENTIAL_BITS, frac, factorBits: factor, ring, isPacked: true },
  })
  return truncate(plan, powers, factor, undefined, 'unsigned')
}
