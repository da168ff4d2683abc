/** A softmax that follows each row's maximum: powers of the scores under a secret cap, and the inverse of their sum. */
import { exponential } from '../ops/exponential.ts'
import { openInverse } from '../ops/inverse.ts'
import { addConstant, sumPositions } from '../ops/local.ts'
import { open } from '../ops/open.ts'
import { shade } from '../ops/shade.ts'
import { belowCap, highestLevel, thermometer } from '../ops/threshold.ts'
import { truncate } from '../ops/truncate.ts'
import type { Opened, Share } from '../plan.ts'
import { BASIS_BITS, type Block, INVERSE_DEGREE } from './block.ts'
import type { SoftmaxWidths } from './widths.ts'

/** Weights before the division, pairs x heads at `weightFrac`, and their sums, rows x heads. */
export interface Powers {
  readonly weights: Opened
  readonly sums: Opened
}

/** Scores that the widths tell apart, in octaves. */
export const scoreRange = (s: SoftmaxWidths): readonly [low: number, high: number] => [
  s.edge,
  s.edge + 2 ** (s.bins + s.binBits),
]

/** Powers of two of attention logits (pairs x heads, in octaves, Z_2^scores) less a cap that follows each row. */
export function softmaxPowers(block: Block, logits: Share, s: SoftmaxWidths): Powers {
  const { plan } = block
  const { frac } = logits
  const shifted = addConstant(plan, logits, BigInt(-s.edge) << BigInt(frac))
  const c = open(plan, truncate(plan, shifted, frac + s.binBits, s.bins, 'unsigned'), { bits: s.bins })
  const N = open(plan, thermometer(plan, c, block.spanBits), { bits: block.spanBits })
  const level = highestLevel(plan, N, logits.width)
  const fine = truncate(plan, logits, frac - s.exponentFrac, s.exponent, 'modular')
  const below = belowCap(plan, fine, level, {
    shift: s.exponentFrac + s.binBits,
    offset: BigInt(s.edge) << BigInt(s.exponentFrac),
  })
  // Padding copies a row that is there, so it may count for the cap; its weight alone must be zero.
  const shaded = s.shade > 0 ? shade(plan, below, BigInt(s.shade) << BigInt(s.exponentFrac)) : below
  const z = open(plan, shaded, { bits: s.exponent })
  const powers = exponential(plan, z, {
    entryBits: s.exponentEntries,
    frac: s.weightFrac,
    factorBits: s.factorBits,
    ring: s.weights + s.factorBits,
  })
  const e = truncate(plan, powers, s.factorBits, s.weights)
  const weights = open(plan, e, { bits: s.weights })
  const d = s.denominator
  const sum = truncate(plan, sumPositions(plan, e), s.weightFrac - d.frac, d.ring, 'unsigned')
  return { weights, sums: open(plan, sum, { bits: d.ring }) }
}

/** 1 / sums, opened for a product in Z_2^lift: as many levels as `inverseLevels` of the denominator says. */
export function inverseSums(block: Block, sums: Opened, s: SoftmaxWidths, lift: number): Opened {
  return openInverse(block.plan, sums, {
    ...s.denominator,
    f: (y) => 1 / y,
    degree: INVERSE_DEGREE,
    frac: s.inverseFrac,
    basisBits: BASIS_BITS,
    bits: s.inverse,
    lift,
  })
}
